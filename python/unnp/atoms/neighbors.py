"""The neighbour list: every bond shorter than the cutoff, once (vesin)."""

from __future__ import annotations

import numpy as np
from vesin import NeighborList

from unnp.atoms.structure import Structure
from unnp.errors import DataError

THINNEST_CELL = 0.02
"""Smallest singular value of a lattice [A]: thinner cells have more images of an atom in range than there is memory."""
LONGEST_EXTENT = 5000.0
"""Longest cell, or extent of atoms where nothing is periodic, in cutoffs: vesin's list fails beyond 1e5."""


def bonds(structure: Structure, cutoff: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the half neighbour list of a structure.

    A bond (i, j, S) has the vector ``r_j - r_i + S . cell``; of (i, j, S) and (j, i, -S) only one is listed.

    Args:
        structure: positions [A]; periodic in any subset of directions.
        cutoff: [A].

    Returns:
        bond_index (2, n_bonds) int64 and lattice shifts (n_bonds, 3) int64.

    Raises:
        DataError: positions or cell are not finite, a periodic direction has no lattice vector, the lattice vectors are
            linearly dependent, or the structure is larger than any real one.
    """
    _check(structure, cutoff)
    calculator = NeighborList(cutoff=cutoff, full_list=False)
    lattice = np.where(np.asarray(structure.pbc)[:, None], structure.cell, 0.0)
    i, j, shifts = calculator.compute(points=structure.positions, box=lattice, periodic=structure.pbc, quantities="ijS")
    index = np.stack([i, j]).astype(np.int64).reshape(2, -1)
    return index, np.asarray(shifts, dtype=np.int64).reshape(-1, 3)


def bond_vectors(structure: Structure, index: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Return ``r_j - r_i + S . cell``, (n_bonds, 3) [A]; raise DataError where two atoms are at the same place."""
    vectors = structure.positions[index[1]] - structure.positions[index[0]] + shifts @ structure.cell
    coincide = np.flatnonzero(~vectors.any(axis=1))
    if len(coincide):
        i, j = index[:, coincide[0]]
        raise DataError(f"atoms {i} and {j} are at the same place{_where(structure)}; remove one of them.")
    return vectors


def _where(structure: Structure) -> str:
    return f" ({structure.source})" if structure.source else ""


def _check(structure: Structure, cutoff: float) -> None:
    where = _where(structure)
    if not (np.isfinite(structure.positions).all() and np.isfinite(structure.cell).all()):
        raise DataError(f"positions or cell are not finite{where}; repair or remove the frame.")
    periodic = np.asarray(structure.pbc, dtype=bool)
    lengths = np.linalg.norm(structure.cell, axis=1)
    if (periodic & (lengths < 1e-8)).any():
        raise DataError(f"periodic along a lattice vector of zero length{where}; give the cell or set pbc to F there.")
    if periodic.any() and np.linalg.svd(structure.cell[periodic], compute_uv=False).min() < THINNEST_CELL:
        raise DataError(f"the lattice vectors are (almost) linearly dependent{where}; repair or reduce the cell.")
    extent = np.ptp(structure.positions, axis=0).max() if len(structure) and not periodic.all() else 0.0
    if max(extent, lengths[periodic].max(initial=0.0)) > LONGEST_EXTENT * cutoff:
        raise DataError(
            f"the structure is more than {LONGEST_EXTENT * cutoff:.0f} A long{where}: an atom has flown away, or lengths "
            "are not in Angstrom."
        )
