"""The crystal of a configuration in the cell that Miller indices belong to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import make_supercell
from ase.data import atomic_numbers, reference_states
from ase.lattice import identify_lattice

from unnp.errors import ConfigError
from unnp.lammps.crystals import CUBIC, PRIMITIVE, build_crystal
from unnp.lammps.structure_file import read_atoms
from unnp.lammps.system_config import StructureConfig
from unnp.workflows.surfaces.crystal_config import CrystalConfig
from unnp.workflows.surfaces.planes import Plane

HEXAGONAL = (90.0, 90.0, 120.0)
CENTRED = {
    "bct": np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]),
    "rhombohedral": np.array([[1, -1, 0], [0, 1, -1], [1, 1, 1]]),
}
"""Rows: vectors of the tetragonal and the (obverse) hexagonal cell in those of the primitive cell that ASE builds."""
_FACES = ((-1, 1, 1), (1, -1, 1), (1, 1, -1))
_BODY = ((0, 1, 1), (1, 0, 1), (1, 1, 0))
CONVENTIONAL = {
    "FCC": _FACES,
    "BCC": _BODY,
    "BCT": _BODY,
    "ORCF": _FACES,
    "ORCI": _BODY,
    "ORCC": ((1, 1, 0), (-1, 1, 0), (0, 0, 1)),
    "MCLC": ((1, -1, 0), (1, 1, 0), (0, 0, 1)),
    "RHL": ((1, -1, 0), (0, 1, -1), (1, 1, 1)),
}
"""By name of ASE's Bravais lattice, of the centred ones: vectors of the conventional cell in those of ASE's primitive cell."""
_METRIC = 1e-3
"""Relative precision to which the cell of a file is one of these."""
_SAME = 0.01
"""Relative difference of lengths, and difference of angles [degrees], up to which a cell counts as hexagonal."""


def conventional_crystal(given: CrystalConfig, base: Path, where: str) -> Atoms:
    """Return a crystal in its conventional cell: cubic, tetragonal or hexagonal; of a file, in the cell that it has there.

    Args:
        given: element and lattice, or file.
        base: where relative paths begin.
        where: the key of the configuration that holds them, for messages.

    Raises:
        DataError: the file cannot be read.
        ConfigError: there is no such crystal, what the file holds is none, or its cell is the primitive one of a centred
            lattice, which ``given.primitive`` allows.
    """
    if given.crystal is not None:
        crystal = read_atoms(StructureConfig(file=given.crystal, fixed="none"), base)
        if not crystal.pbc.all() or crystal.get_volume() < 1e-6:
            raise ConfigError(
                f"{where}.crystal: {given.crystal} is not periodic in three directions; give a crystal with its cell."
            )
        if not given.primitive:
            _check_conventional(crystal, f"{where}.crystal: {given.crystal}")
    else:
        crystal = _of_element(given, where)
    return Atoms(crystal.numbers, crystal.positions, cell=crystal.cell, pbc=True)  # without the moments that ASE adds


def check_indices(indices: Sequence[int], crystal: Atoms, where: str) -> None:
    """Raise ConfigError where there are four indices and the cell of the crystal is not hexagonal."""
    a, b, _, *angles = crystal.cell.cellpar()
    if len(indices) == 4 and not (np.allclose(angles, HEXAGONAL, atol=_SAME) and abs(a - b) < _SAME * a):
        h, k, _, l = indices  # noqa: E741
        raise ConfigError(
            f"{where}: four indices {list(indices)} are for hexagonal cells; that of {crystal.symbols} has the angles "
            f"{', '.join(f'{angle:g}' for angle in angles)}. Give three, such as {[h, k, l]}."
        )


def three_indices(indices: Sequence[int]) -> Plane:
    """Return (h, k, l) of a plane that may be given as (h, k, i, l): the third of these follows from the first two."""
    return indices[0], indices[1], indices[-1]


def _check_conventional(crystal: Atoms, where: str) -> None:
    """Raise ConfigError where the cell is a primitive one of a centred lattice: indices are other planes in it."""
    try:
        lattice, turned = identify_lattice(crystal.cell, eps=_METRIC)
    except (RuntimeError, ValueError):  # ASE knows no lattice with such a cell
        return
    if lattice.name not in CONVENTIONAL:
        return
    matrix = np.array(CONVENTIONAL[lattice.name]) @ np.round(np.linalg.inv(turned).T).astype(int)
    matrix = matrix if np.linalg.det(matrix) > 0 else -matrix
    n_atoms = round(np.linalg.det(matrix)) * len(crystal)
    raise ConfigError(
        f"{where} has a primitive cell, its lattice is {lattice.longname.removeprefix('primitive ')}; (h k l) are other "
        f"planes there than in the conventional cell, which has {n_atoms} atoms. Write that into the file, as with "
        f"ase.build.make_supercell(atoms, {matrix.tolist()}) or pymatgen's SpacegroupAnalyzer, or set `primitive: true` "
        "to count indices in the cell of the file."
    )


def _of_element(given: CrystalConfig, where: str) -> Atoms:
    element = str(given.element)
    crystal = build_crystal(
        element, given.lattice, given.a, given.c, shapes=(CUBIC, PRIMITIVE), where=where, own="crystal"
    )
    lattice = given.lattice or str((reference_states[atomic_numbers[element]] or {}).get("symmetry"))
    return make_supercell(crystal, CENTRED[lattice]) if lattice in CENTRED else crystal
