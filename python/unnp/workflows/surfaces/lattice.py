"""Which lattice a crystal has, by the neighbours of its atoms: where it may be strained, and classes are wide.

``crystals.phases`` tells whether a crystal has become another prototype, also dhcp or A15, by distances to 54 neighbours. Those
do not say what a strained crystal is: random strains of 2 % make fcc as near to dhcp as to fcc, and c/a of zinc does too.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

SHELL = 1.25
"""Neighbours are counted up to this multiple of the shortest distance: beyond the second shell of bcc, 1.155."""
CLOSE_PACKED = 12
NEIGHBOURS = {14: "bcc", 4: "diamond", 6: "sc"}
LATTICES = ("fcc", "bcc", "hcp", "diamond", "sc", "other")
OPPOSITE = 0.3
"""How far two bonds may be from opposite, in shortest distances; in hcp some miss it by 0.58."""


def lattice_of(crystal: Atoms) -> str:
    """Return one of ``LATTICES``, by the rounded mean number of neighbours; a lattice may be strained by some per cent.

    Of twelve neighbours, those of fcc lie opposite to each other in pairs; of hcp only six do.

    Args:
        crystal: periodic in all three directions.
    """
    farthest = 1.6 * (crystal.get_volume() / len(crystal)) ** (
        1 / 3
    )  # the shortest distance is at most 1.123 times that
    centres, distances, vectors = neighbor_list("idD", crystal, farthest)
    near = distances < SHELL * distances.min()
    count = round(int(near.sum()) / len(crystal))
    if count != CLOSE_PACKED:
        return NEIGHBOURS.get(count, "other")
    paired = _paired(centres[near], vectors[near] / distances.min())
    return "fcc" if paired > 0.75 else "hcp"


def _paired(centres: np.ndarray, bonds: np.ndarray) -> float:
    """Return the share of the bonds that have an opposite one at their atom."""
    opposite = 0
    for centre in np.unique(centres):
        own = bonds[centres == centre]
        misses = np.linalg.norm(own[:, None] + own[None, :], axis=2).min(axis=1)
        opposite += int((misses < OPPOSITE).sum())
    return opposite / len(bonds)
