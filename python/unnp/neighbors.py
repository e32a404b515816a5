"""The neighbour list: every bond shorter than the cutoff, once (vesin)."""

from __future__ import annotations

import numpy as np
from vesin import NeighborList

from unnp.errors import DataError
from unnp.structure import Structure


def bonds(structure: Structure, cutoff: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the half neighbour list of a structure.

    A bond (i, j, S) has the vector ``r_j - r_i + S . cell``; of (i, j, S) and (j, i, -S) only one is listed.

    Args:
        structure: positions [A]; periodic in any subset of directions.
        cutoff: [A].

    Returns:
        bond_index (2, n_bonds) int64 and lattice shifts (n_bonds, 3) int64.

    Raises:
        DataError: positions or cell are not finite, or a periodic direction has no lattice vector.
    """
    _check(structure)
    calculator = NeighborList(cutoff=cutoff, full_list=False)
    i, j, shifts = calculator.compute(
        points=structure.positions, box=structure.cell, periodic=structure.pbc, quantities="ijS"
    )
    index = np.stack([i, j]).astype(np.int64).reshape(2, -1)
    return index, np.asarray(shifts, dtype=np.int64).reshape(-1, 3)


def bond_vectors(structure: Structure, index: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Return ``r_j - r_i + S . cell``, (n_bonds, 3) [A]."""
    return structure.positions[index[1]] - structure.positions[index[0]] + shifts @ structure.cell


def _check(structure: Structure) -> None:
    where = f" ({structure.source})" if structure.source else ""
    if not (np.isfinite(structure.positions).all() and np.isfinite(structure.cell).all()):
        raise DataError(f"positions or cell are not finite{where}; repair or remove the frame.")
    lengths = np.linalg.norm(structure.cell, axis=1)
    if (np.asarray(structure.pbc) & (lengths < 1e-8)).any():
        raise DataError(f"periodic along a lattice vector of zero length{where}; give the cell or set pbc to F there.")
