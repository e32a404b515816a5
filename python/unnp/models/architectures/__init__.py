"""Architectures, one file each, named as they are registered; a file is imported when its architecture is asked for."""
