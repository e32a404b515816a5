"""A periodic cell around atoms that are not periodic in all directions."""

from __future__ import annotations

import numpy as np
from ase.geometry import complete_cell

from unnp.atoms.structure import Structure


def enclosing_cell(structure: Structure, margin: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return a cell that holds all atoms, and its origin.

    Along periodic directions the cell is the structure's; the other lattice vectors are made orthogonal to them and as
    long as the atoms need. The energy does not depend on their length.
    """
    if np.all(structure.pbc):
        return structure.cell, np.zeros(3)
    cell = complete_cell(np.where(structure.pbc[:, None], structure.cell, 0.0))
    fractional = np.linalg.solve(cell.T, structure.positions.T).T
    origin = np.zeros(3)
    for k in np.flatnonzero(~structure.pbc):
        length = np.linalg.norm(cell[k])
        low, high = fractional[:, k].min() - margin / length, fractional[:, k].max() + margin / length
        origin = origin + low * cell[k]
        cell[k] = cell[k] * (high - low)
    return cell, origin
