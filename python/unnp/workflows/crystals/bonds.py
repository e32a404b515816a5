"""Bonds of crystals: measured, and expected before anything is known of a potential."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list

from unnp.atoms.elements import atomic_number

SHELL = 1.12
"""The first shell ends at this multiple of the shortest bond: below the second neighbours of bcc (1.155), above what
the two bonds of a stretched hcp crystal differ by (1.04 at c/a = sqrt(3), 1.09 in zinc)."""
CLOSE_PACKED = 12
PAULING = 0.6


@dataclass(frozen=True)
class Shell:
    """The first shell of neighbours.

    Attributes:
        shortest: the shortest distance between atoms [A].
        mean: mean of all distances up to 1.12 times that [A].
        neighbours: how many of these an atom has, the mean over atoms.
    """

    shortest: float
    mean: float
    neighbours: float


def first_shell(atoms: Atoms) -> Shell:
    """Return the first shell of a structure that is periodic in all three directions."""
    # The packing fraction of equal spheres is at most pi / sqrt(18): no shortest distance is above 1.123 V^(1/3).
    distances = neighbor_list("d", atoms, 1.2 * SHELL * _length(atoms))
    shortest = float(distances.min())
    shell = distances[distances <= SHELL * shortest]
    return Shell(shortest, float(shell.mean()), len(shell) / len(atoms))


def fingerprint(atoms: Atoms, n: int = 54) -> np.ndarray:
    """Return the distances to the nearest ``n`` atoms, the mean over atoms, in units of the cube root of their volume.

    Up to the fourth shell of fcc, ``n = 54``, the distances tell all close packings from each other.
    """
    centres, distances = neighbor_list("id", atoms, 3.4 * _length(atoms))
    order = np.lexsort((distances, centres))
    starts = np.searchsorted(centres[order], np.arange(len(atoms)))
    rows = [distances[order][start : start + n] for start in starts]
    return np.mean(rows, axis=0) / _length(atoms) if min(map(len, rows)) == n else np.full(n, np.inf)


def expected_bond(symbols: list[str], neighbours: float, close_packed: float | None = None) -> float:
    """Return the bond [A] that crystals of elements are expected to have: where a search for them begins.

    ``d(n) = d(12) - 0.6 log10(12 / n)``, with n neighbours (L. Pauling, J. Am. Chem. Soc. 69, 542 (1947)); d(12) follows
    in the same way from the crystal in which the element is found, or from its covalent radius.

    Args:
        symbols: elements; the mean over them is taken.
        neighbours: n.
        close_packed: d(12), where it is known.
    """
    bonds = [close_packed or _close_packed_bond(symbol) for symbol in symbols]
    return float(np.mean(bonds)) - PAULING * float(np.log10(CLOSE_PACKED / neighbours))


def _close_packed_bond(symbol: str) -> float:
    try:
        shell = first_shell(bulk(symbol))
        known, neighbours = shell.shortest, shell.neighbours
    except (ValueError, RuntimeError, KeyError, NotImplementedError, TypeError):
        known, neighbours = 2 * float(covalent_radii[atomic_number(symbol)]), 4.0
    return known + PAULING * float(np.log10(CLOSE_PACKED / neighbours))


def _length(atoms: Atoms) -> float:
    return float((atoms.get_volume() / len(atoms)) ** (1 / 3))
