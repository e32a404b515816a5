"""Readers of structure files, one file per format, found through a registry."""

from unnp.data.readers.base import Frame, Reader, readers, register
from unnp.data.readers.left_behind import LeftBehind
from unnp.data.readers.options import ReadOptions
from unnp.data.readers.reading import iterate_structures, read_structures

__all__ = [
    "Frame",
    "LeftBehind",
    "ReadOptions",
    "Reader",
    "iterate_structures",
    "read_structures",
    "readers",
    "register",
]
