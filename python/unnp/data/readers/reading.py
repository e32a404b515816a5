"""Reading labelled structures from files."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from unnp.atoms.structure import Structure
from unnp.data.readers.base import reader_for
from unnp.data.readers.completeness import Completeness
from unnp.data.readers.left_behind import LeftBehind
from unnp.data.readers.mapping import structure_of
from unnp.data.readers.notes import Notes
from unnp.data.readers.options import ReadOptions
from unnp.errors import DataError

logger = logging.getLogger(__name__)


def read_structures(path: str | Path, options: ReadOptions | None = None) -> list[Structure]:
    """Return all structures of a file; arguments and errors are those of ``iterate_structures``."""
    return list(iterate_structures(path, options))


def iterate_structures(
    path: str | Path,
    options: ReadOptions | None = None,
    completeness: Completeness | None = None,
    left_behind: LeftBehind | None = None,
) -> Iterator[Structure]:
    """Yield the structures of a file, in our units, one at a time.

    Args:
        path: a file of any format that ASE reads, compressed or not.
        options: names, units, required labels; None: the defaults.
        completeness: a check that goes over several files; None: one for this file.
        left_behind: takes note of what the file carries beyond structures and labels; None: nobody asks.

    Steps that did not converge are left out or refused as the options say; that, and numbers in a likely wrong unit, is
    logged as a warning at the end of the file.

    Raises:
        ConfigError: the format is unknown.
        DataError: the file is missing, empty, truncated or corrupt, a label is missing, mixed, not finite or of the
            wrong shape, elements of types are not given, a step did not converge. The message names file and frame.
    """
    path, options = Path(path), options or ReadOptions()
    completeness = completeness or Completeness(options)
    if not path.is_file():
        what = "is no ordinary file" if path.exists() else "does not exist"
        what = "is a folder, but neither a stored data set nor a file" if path.is_dir() else what
        raise DataError(f"{path} {what}; give a structure file.")
    notes = Notes(str(path), options)
    for frame in reader_for(path, options.format).frames(path):
        if not notes.takes(frame):
            continue
        structure = structure_of(frame, options)
        completeness.check(frame, structure)
        notes.add(frame, structure)
        if left_behind is not None:
            left_behind.add(frame, options)
        yield structure
    notes.finish()
