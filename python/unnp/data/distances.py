"""The shortest distances between atoms: how close a potential has seen two elements."""

from __future__ import annotations

import numpy as np
from ase.data import chemical_symbols

from unnp.atoms.neighbors import bonds
from unnp.atoms.structure import Structure
from unnp.errors import DataError

REACH = 4.0
"""Distance [A] beyond which pairs are not looked for."""


def shortest_distances(structure: Structure) -> dict[str, float]:
    """Return the shortest distance [A] of each pair of elements, ``{"Al-Ni": 2.43}``, symbols by atomic number.

    Pairs farther apart than ``REACH`` are left out, and so is a structure whose neighbours cannot be listed.
    """
    try:
        index, shifts = bonds(structure, REACH)
    except DataError:  # whoever needs the neighbours of this structure says what is wrong with it
        return {}
    positions = structure.positions
    lengths = np.linalg.norm(positions[index[1]] - positions[index[0]] + shifts @ structure.cell, axis=1)
    pairs = np.sort(np.asarray(structure.numbers)[index], axis=0)
    found: dict[str, float] = {}
    for a, b in np.unique(pairs, axis=1).T:
        nearest = lengths[(pairs[0] == a) & (pairs[1] == b)].min()
        found[f"{chemical_symbols[a]}-{chemical_symbols[b]}"] = float(nearest)
    return found


def rms_displacement(structure: Structure, positions: np.ndarray) -> float:
    """Return the root mean square [A] of how far atoms are from other positions (n_atoms, 3), by the nearest images."""
    lattice = np.where(structure.pbc[:, None], structure.cell, 0.0)
    moved = structure.positions - positions
    moved -= np.round(moved @ np.linalg.pinv(lattice)) @ lattice
    return float(np.sqrt((moved**2).sum(axis=1).mean()))


def merge(first: dict[str, float], second: dict[str, float]) -> dict[str, float]:
    """Return the shorter distance of each pair of either."""
    return {pair: min(d.get(pair, np.inf) for d in (first, second)) for pair in sorted({*first, *second})}
