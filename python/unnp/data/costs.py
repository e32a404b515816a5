"""What a structure costs a network, counted from its bonds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from unnp.atoms.outputs import Cost


def count_bonds(bond_index: np.ndarray) -> int:
    """Return the number of bonds, each counted once, of a list (2, n_bonds)."""
    return int(bond_index.shape[1])


def count_triplets(bond_index: np.ndarray) -> int:
    """Return the number of triplets ``k -> j -> i`` of bonds (2, n_bonds): ``sum_j d_j (d_j - 1)``, d_j neighbours of atom j.

    These are the chains of :func:`unnp.nn.triplets.chains`, which need not be made for that.
    """
    neighbours = np.bincount(bond_index.ravel()).astype(np.int64)
    return int((neighbours * (neighbours - 1)).sum())


COUNTS: Mapping[Cost, Callable[[np.ndarray], int]] = {"bonds": count_bonds, "triplets": count_triplets}
