"""Distances of atoms in units of the sums of their covalent radii."""

from __future__ import annotations

import numpy as np
from ase.data import covalent_radii

from unnp.atoms.neighbors import bond_vectors, bonds
from unnp.atoms.structure import Structure


def touching(numbers: np.ndarray) -> np.ndarray:
    """Return the distances at which two atoms touch, the sums of their covalent radii, (n_pairs,) [A].

    Args:
        numbers: atomic numbers (2, n_pairs).
    """
    sums: np.ndarray = covalent_radii[numbers].sum(axis=0)
    return sums


def contacts(structure: Structure, longest: float) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of atoms, (2, n_pairs), and their distances as parts of those at which they touch, (n_pairs,).

    Args:
        structure: it may be periodic; a pair is there for each image that is near.
        longest: all pairs up to this part are there, and some beyond it where elements differ.
    """
    index, shifts = bonds(structure, longest * 2 * covalent_radii[structure.numbers].max())
    lengths = np.linalg.norm(bond_vectors(structure, index, shifts), axis=1)
    return index, lengths / touching(structure.numbers[index])
