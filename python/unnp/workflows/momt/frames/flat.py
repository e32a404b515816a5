"""Thinning frames so that they are spread evenly over enthalpy and order."""

from __future__ import annotations

import numpy as np

from unnp.errors import SamplingError


def select_flat(
    enthalpy: np.ndarray, order: np.ndarray, n_wanted: int, n_bins: int | tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """Choose frames at random so that all bins of (H, s) hold the same number, as far as they have it.

    Bin b gives ``min(count_b, c)`` frames; c is the level at which these sum to ``n_wanted``, and one more from some bins drawn
    at random makes the sum exact. Rare states, such as those between the phases, are all kept before common ones get more.

    Args:
        enthalpy: (n,) H.
        order: (n,) s.
        n_wanted: how many; n or more choose all.
        n_bins: number of bins for H and for s, over the ranges they have.
        rng: source of the choice.

    Returns:
        ascending indices, (min(n_wanted, n),).

    Raises:
        SamplingError: arrays of different lengths or not finite, no bins, or less than no frames wanted.
    """
    shape = (n_bins, n_bins) if isinstance(n_bins, int) else n_bins
    if len(enthalpy) != len(order):
        raise SamplingError(f"{len(enthalpy)} enthalpies and {len(order)} order parameters; each frame has both.")
    if n_wanted < 0 or min(shape) < 1:
        raise SamplingError(
            f"cannot choose {n_wanted} frames from {shape[0]} x {shape[1]} bins; both must be positive."
        )
    if not (np.isfinite(enthalpy).all() and np.isfinite(order).all()):
        raise SamplingError("frames with an enthalpy or order parameter that is not finite cannot be chosen from.")
    n = len(enthalpy)
    if n_wanted >= n:
        return np.arange(n)
    _, cell = np.unique(_bins(enthalpy, shape[0]) * shape[1] + _bins(order, shape[1]), return_inverse=True)
    rank = _rank_within(cell, rng)
    count = np.bincount(cell)
    level = _level(count, n_wanted)
    chosen = rank < level
    candidates = np.flatnonzero(rank == level)
    chosen[rng.choice(candidates, n_wanted - int(chosen.sum()), replace=False)] = True
    return np.flatnonzero(chosen)


def _bins(values: np.ndarray, n_bins: int) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    if not low < high:
        return np.zeros(len(values), dtype=int)
    return np.minimum(((values - low) * (n_bins / (high - low))).astype(int), n_bins - 1)


def _rank_within(cell: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the place of each frame in a random order of the frames of its cell."""
    mixed = rng.permutation(len(cell))
    by_cell = mixed[np.argsort(cell[mixed], kind="stable")]
    begins = np.cumsum(np.bincount(cell)) - np.bincount(cell)
    rank = np.empty(len(cell), dtype=int)
    rank[by_cell] = np.arange(len(cell)) - begins[cell[by_cell]]
    return rank


def _level(count: np.ndarray, n_wanted: int) -> int:
    """Return the largest c with ``sum min(count, c) <= n_wanted``."""
    low, high = 0, int(count.max())
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if np.minimum(count, middle).sum() <= n_wanted else (low, middle - 1)
    return low
