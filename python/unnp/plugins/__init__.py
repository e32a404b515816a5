"""Things that come in many kinds, found by name in this package and in others."""
