"""Every other format that ASE reads: trajectories, OUTCAR, vasprun.xml, CIF, LAMMPS dumps ..."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io.formats import UnknownFileTypeError, filetype, get_ioformat, iread

from unnp.data.readers.base import Frame, register
from unnp.data.readers.convergence import converged_steps
from unnp.data.readers.format_labels import held_by
from unnp.data.readers.lammps_files import (
    DATA,
    DUMPS,
    TypesAndUnits,
    by_id,
    is_data_file,
    look_into,
    numbers_of_masses,
    numbers_of_types,
    only_default_elements,
    without_labels,
)
from unnp.data.readers.vasprun import ends_early
from unnp.errors import DataError, in_one_line

# Formats whose reading unpickles, so that a file could run code, or that are no files.
_REFUSED = ("bundletrajectory", "postgresql", "mysql", "py", "gpw")
_PICKLE_TRAJECTORY = b"PickleTrajectory"
_ATOMEYE = "cfg"
_VASPRUN = "vasp-xml"
_NUMBERED_SPECIES = "netcdftrajectory"  # LAMMPS' types and ASE's atomic numbers have the same name in it


@register("ase")
def read_ase(path: Path, kind: str | None = None) -> Iterator[Frame]:
    """Yield the frames of a file in the format that ASE recognises, or in that of a given name."""
    kind = _format(path, kind)
    of_lammps = look_into(path, kind) if kind in (DATA, *DUMPS) else None
    converged = converged_steps(path, kind)
    frames = _atoms(path, kind, of_lammps)
    if False in converged:
        listed = list(frames)
        known: list[bool | None] = [*converged] if len(listed) == len(converged) else [None] * len(listed)
        pairs = zip(listed, known, strict=True)
    else:
        pairs = ((atoms, True) for atoms in frames)  # type: ignore[assignment]
    remark = _remark(path, kind, of_lammps)
    for k, (read, step_converged) in enumerate(pairs):
        atoms = by_id(read) if kind == DATA else read
        types, named = _types(atoms, kind, of_lammps)
        sources = sources_of(atoms, kind)
        yield Frame(atoms, f"{path} frame {k}", sources, types, named, step_converged, remark)


def _atoms(path: Path, kind: str, of_lammps: TypesAndUnits | None) -> Iterator[Atoms]:
    k = 0
    source = without_labels(path, of_lammps) if of_lammps is not None and of_lammps.labelled else str(path)
    keywords = _keywords(of_lammps)
    try:
        for atoms in iread(source, index=":", format=kind, do_not_split_by_at_sign=True, **keywords):
            yield atoms
            k += 1
    except Exception as error:  # each of ASE's readers raises what its parsing stumbles over
        text = in_one_line(error)
        reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
        raise DataError(
            f"{path} frame {k}: cannot be read as {kind} ({reason}). Is the file complete, and of that format?"
        ) from None


def _format(path: Path, kind: str | None) -> str:
    try:
        # Where ASE knows no better, it takes the ending for the format.
        kind = kind or (DATA if is_data_file(path) else filetype(str(path)))
        get_ioformat(kind)
        with path.open("rb") as file:
            head = file.read(len(_PICKLE_TRAJECTORY))
    except (UnknownFileTypeError, OSError, EOFError) as error:
        raise DataError(
            f"{path}: no reader knows this file ({error}); name its format (--read format=..., `ase info --formats` "
            "lists them), or convert it to extended XYZ."
        ) from None
    if kind in _REFUSED or head == _PICKLE_TRAJECTORY:
        raise DataError(f"{path}: {kind} files are not read, because a file could run code; convert it with ASE.")
    return kind


def _keywords(of_lammps: TypesAndUnits | None) -> dict[str, Any]:
    return {} if of_lammps is None else {"units": of_lammps.units, **of_lammps.keywords}


def _types(atoms: Atoms, kind: str, of_lammps: TypesAndUnits | None) -> tuple[np.ndarray | None, bool]:
    """Return the types of a frame's atoms and whether their elements are known; put in elements that a data file says."""
    if kind == _ATOMEYE and only_default_elements(atoms):
        return _types_of_masses(atoms)
    if of_lammps is None:
        return (atoms.numbers.copy(), False) if kind == _NUMBERED_SPECIES else (None, True)
    if kind in DUMPS:
        return atoms.arrays.get("type", None if of_lammps.elements_known else atoms.numbers), of_lammps.elements_known
    types = atoms.numbers.copy()
    numbers = numbers_of_types(types, of_lammps.element_of_type)
    if numbers is not None:
        atoms.set_atomic_numbers(numbers)
    return types, numbers is not None


def _types_of_masses(atoms: Atoms) -> tuple[np.ndarray, bool]:
    """Return the numbers of the masses that occur, and whether all are those of elements, which are then put in."""
    masses = atoms.get_masses()
    numbers = numbers_of_masses(masses)
    if numbers is not None:
        atoms.set_atomic_numbers(numbers)
    return np.unique(masses, return_inverse=True)[1] + 1, numbers is not None


def _remark(path: Path, kind: str, of_lammps: TypesAndUnits | None) -> str:
    if kind == _VASPRUN and ends_early(path):
        return (
            "the file ends early: VASP was stopped or is still running. Only the steps that it holds are read, and the last "
            "may lack its labels."
        )
    if kind != "lammps-dump-text" or of_lammps is None or of_lammps.units_said:
        return ""
    return (
        "the dump does not say its units; they are taken for `metal` (A, eV/A). LAMMPS says them with `dump_modify ID units "
        "yes`; in a dump that exists, put the lines `ITEM: UNITS` and, for instance, `real` before the first."
    )


def sources_of(atoms: Atoms, kind: str) -> list[Mapping[str, Any]]:
    """Return the places where ASE keeps named values of a structure, without what it has made up.

    The calculator's results are taken as they are: its methods would compute, or zero the forces on constrained atoms.
    """
    results: Mapping[str, Any] = {}
    with contextlib.suppress(AttributeError):
        results = held_by(kind, atoms.calc.results)
    nested = [atoms.info[name] for name in ("key_value_pairs", "data") if isinstance(atoms.info.get(name), Mapping)]
    arrays = {name: value for name, value in atoms.arrays.items() if name not in ("numbers", "positions")}
    info = {name: value for name, value in atoms.info.items() if name not in ("key_value_pairs", "data")}
    return [results, info, *nested, arrays]
