"""Reading labelled structures from files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unnp.data.readers.base import reader_for
from unnp.data.readers.completeness import Completeness
from unnp.data.readers.mapping import structure_of
from unnp.data.readers.options import ReadOptions
from unnp.errors import DataError
from unnp.structure import Structure


def read_structures(path: str | Path, options: ReadOptions | None = None) -> list[Structure]:
    """Return all structures of a file; arguments and errors are those of ``iterate_structures``."""
    return list(iterate_structures(path, options))


def iterate_structures(
    path: str | Path, options: ReadOptions | None = None, completeness: Completeness | None = None
) -> Iterator[Structure]:
    """Yield the structures of a file, in our units, one at a time.

    Args:
        path: a file of any format that ASE reads, compressed or not.
        options: names, units, required labels; None: the defaults.
        completeness: a check that goes over several files; None: one for this file.

    Raises:
        ConfigError: the format is unknown.
        DataError: the file is missing, empty, truncated or corrupt, a label is missing, mixed, not finite or of the
            wrong shape. The message names file, frame and label.
    """
    path, options = Path(path), options or ReadOptions()
    completeness = completeness or Completeness(options)
    if not path.is_file():
        what = "is a folder, but neither a stored data set nor a file" if path.is_dir() else "does not exist"
        raise DataError(f"{path} {what}; give a structure file.")
    empty = True
    for frame in reader_for(path, options.format).frames(path):
        empty = False
        structure = structure_of(frame, options)
        completeness.check(frame, structure)
        yield structure
    if empty:
        raise DataError(f"{path} holds no structures.")
