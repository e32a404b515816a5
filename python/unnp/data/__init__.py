"""Labelled structures: reading, storing, splitting, labelling, and batches for the training."""

from unnp.data.opening import open_structures
from unnp.data.readers.reading import read_structures
from unnp.data.splits import split
from unnp.data.store import Store
from unnp.data.store_writer import write_store
from unnp.data.writing import write_structures

__all__ = ["Store", "open_structures", "read_structures", "split", "write_store", "write_structures"]
