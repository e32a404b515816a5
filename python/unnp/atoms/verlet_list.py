"""Bonds of a structure that moves: the neighbour list is kept as long as no pair can have come into range."""

from __future__ import annotations

import numpy as np

from unnp.atoms.neighbors import bond_vectors, bonds
from unnp.atoms.structure import Structure
from unnp.errors import ConfigError


class VerletList:
    """A half neighbour list with a skin (Verlet, Phys. Rev. 159, 98 (1967)).

    All pairs up to ``cutoff + skin`` are listed; those within ``cutoff`` are handed out. Two atoms that have each
    moved by at most ``skin / 2`` have come at most ``skin`` closer, so the list holds until then. A change of the cell,
    of the periodic directions or of the number of atoms makes a new list. An atom that is put back into the cell by a
    lattice vector has moved far.

    Args:
        cutoff: longest bond [A].
        skin: [A], 0 for a new list whenever anything has moved.
    """

    def __init__(self, cutoff: float, skin: float) -> None:
        if not (np.isfinite(skin) and skin >= 0):
            raise ConfigError(f"skin must be a length in A, zero or more, got {skin}.")
        self.cutoff = cutoff
        self.skin = skin
        self.n_builds = 0
        self._at: Structure | None = None
        self._index = np.empty((2, 0), dtype=np.int64)
        self._shifts = np.empty((0, 3), dtype=np.int64)

    def bonds(self, structure: Structure) -> tuple[np.ndarray, np.ndarray]:
        """Return the bonds up to the cutoff: index (2, n_bonds) int64 and vectors ``r_j - r_i``, (n_bonds, 3) [A].

        Raises:
            DataError: positions or cell are not finite, or a periodic direction has no lattice vector.
        """
        if not self._holds(structure):
            self._index, self._shifts = bonds(structure, self.cutoff + self.skin)
            self._at = Structure(
                structure.numbers, structure.positions.copy(), structure.cell.copy(), np.array(structure.pbc)
            )
            self.n_builds += 1
        vectors = bond_vectors(structure, self._index, self._shifts)
        within = np.einsum("bx,bx->b", vectors, vectors) <= self.cutoff**2
        return self._index[:, within], vectors[within]

    def _holds(self, structure: Structure) -> bool:
        at = self._at
        if at is None or len(at) != len(structure) or len(structure) == 0:
            return False
        if not (np.array_equal(at.pbc, structure.pbc) and np.array_equal(at.cell, structure.cell)):
            return False
        moved = np.linalg.norm(structure.positions - at.positions, axis=1).max()
        # Written so that NaN does not hold: building the list then reports it. The margin is for rounding of the sums.
        return bool(moved <= 0.5 * self.skin * (1 - 1e-9))
