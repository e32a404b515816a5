"""Checks of an installation, as run by `unnp doctor`."""
