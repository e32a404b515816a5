"""Structures to relax from files and stored data sets, with the atoms that do not move."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms

from unnp.data.opening import open_structures
from unnp.data.readers.base import reader_for
from unnp.data.readers.options import UNLABELLED
from unnp.data.store import is_store
from unnp.errors import ConfigError, DataError
from unnp.lammps.structure_file import atoms_of
from unnp.lammps.system_config import FixedConfig

NAME = "name"
"""Where the name of a structure is kept in ``Atoms.info``."""


def read_all(paths: Sequence[Path], fixed: str | FixedConfig = "file") -> list[Atoms]:
    """Return all frames of some files, each with its name in ``info["name"]`` and its fixed atoms.

    Args:
        paths: files of any format that ASE reads, and stored data sets, which have no fixed atoms.
        fixed: ``file``: atoms that the file fixes; ``none``; or a table of tags, elements and heights.

    Raises:
        DataError: a file cannot be read, or holds nothing.
        ConfigError: constraints that cannot be kept, or no such atoms to fix.
    """
    found = [atoms for path in paths for atoms in (_stored(path, fixed) if is_store(path) else _read(path, fixed))]
    if not found:
        raise DataError("there are no structures; give at least one file.")
    return found


def _read(path: Path, fixed: str | FixedConfig) -> list[Atoms]:
    if not path.is_file():
        raise DataError(f"{path} does not exist, or is no file; give a structure file.")
    found = []
    for frame in reader_for(path, None).frames(path):
        atoms = atoms_of(frame, fixed)
        atoms.info = {NAME: frame.where.replace(str(path), path.name)}
        found.append(atoms)
    return found


def _stored(path: Path, fixed: str | FixedConfig) -> list[Atoms]:
    if isinstance(fixed, FixedConfig):
        raise ConfigError(f"{path} is a stored data set; atoms can be fixed in structure files only.")
    found = []
    for k, structure in enumerate(open_structures(path, UNLABELLED)):
        atoms = structure.to_atoms()
        atoms.info = {NAME: f"{path.name} structure {k}"}
        found.append(atoms)
    return found
