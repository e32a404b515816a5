"""Every other format that ASE reads: trajectories, OUTCAR, vasprun.xml, CIF, LAMMPS dumps ..."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.io.formats import UnknownFileTypeError, filetype, get_ioformat, iread

from unnp.data.readers.base import Frame, register
from unnp.errors import DataError

# Formats whose reading unpickles, so that a file could run code, or that are no files.
_REFUSED = ("bundletrajectory", "postgresql", "mysql", "py", "gpw")
_PICKLE_TRAJECTORY = b"PickleTrajectory"


@register("ase")
def read_ase(path: Path) -> Iterator[Frame]:
    """Yield the frames of a file in the format that ASE recognises."""
    kind = _format(path)
    frames = iread(str(path), index=":", format=kind, do_not_split_by_at_sign=True)
    k = 0
    while True:
        where = f"{path} frame {k}"
        try:
            atoms = next(frames, None)
        except Exception as error:  # each of ASE's readers raises what its parsing stumbles over
            reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise DataError(f"{where}: cannot be read as {kind} ({reason}). Is the file complete?") from None
        if atoms is None:
            return
        yield Frame(atoms, where, sources_of(atoms))
        k += 1


def _format(path: Path) -> str:
    try:
        kind = filetype(str(path))  # where it knows no better, it takes the ending for the format
        get_ioformat(kind)
        with path.open("rb") as file:
            head = file.read(len(_PICKLE_TRAJECTORY))
    except (UnknownFileTypeError, OSError, EOFError) as error:
        raise DataError(f"{path}: no reader knows this file ({error}); convert it to extended XYZ.") from None
    if kind in _REFUSED or head == _PICKLE_TRAJECTORY:
        raise DataError(f"{path}: {kind} files are not read, because a file could run code; convert it with ASE.")
    return kind


def sources_of(atoms: Atoms) -> list[Mapping[str, Any]]:
    """Return the places where ASE keeps named values of a structure.

    The calculator's results are taken as they are: its methods would compute, or zero the forces on constrained atoms.
    """
    results = getattr(atoms.calc, "results", {}) if atoms.calc is not None else {}
    nested = [atoms.info[name] for name in ("key_value_pairs", "data") if isinstance(atoms.info.get(name), Mapping)]
    arrays = {name: value for name, value in atoms.arrays.items() if name not in ("numbers", "positions")}
    info = {name: value for name, value in atoms.info.items() if name not in ("key_value_pairs", "data")}
    return [results, info, *nested, arrays]
