"""Which structures go into which batch."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from unnp.errors import ConfigError

logger = logging.getLogger(__name__)


class BatchSampler:
    """Batches bounded by structures, atoms and bonds, the same for everyone who knows (seed, epoch).

    Batches are made for all ranks together and dealt out, so that ranks never share a structure. All ranks get equally
    many: where the number of batches is no multiple of ``world_size``, the largest are halved; only where nothing is
    left to halve (fewer structures than ranks) the last ranks get an empty list, and take part with nothing.

    Args:
        n_atoms: (n_structures,) atoms of each structure.
        n_bonds: (n_structures,) bonds of each structure.
        batch_size: structures per batch and rank at most.
        max_atoms: atoms per batch and rank at most; None: no bound.
        max_bonds: bonds per batch and rank at most; None: no bound.
        shuffle: new order in each epoch; False: order of the structures.
        seed: of the order.
        rank: this process.
        world_size: number of processes.

    Raises:
        ConfigError: a bound is below 1, the arrays differ in length, or rank is not below world_size.
    """

    def __init__(
        self,
        n_atoms: Sequence[int] | np.ndarray,
        n_bonds: Sequence[int] | np.ndarray,
        *,
        batch_size: int,
        max_atoms: int | None = None,
        max_bonds: int | None = None,
        shuffle: bool,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if len(n_atoms) != len(n_bonds):
            raise ConfigError(f"n_atoms has {len(n_atoms)} entries and n_bonds {len(n_bonds)}; they must agree.")
        for name, bound in {"batch_size": batch_size, "max_atoms": max_atoms, "max_bonds": max_bonds}.items():
            if bound is not None and bound < 1:
                raise ConfigError(f"{name} must be 1 or more, got {bound}.")
        if not 0 <= rank < world_size:
            raise ConfigError(f"rank must be in 0..{world_size - 1}, got {rank}.")
        sizes = [np.ones(len(n_atoms)), np.asarray(n_atoms), np.asarray(n_bonds)]
        self._sizes = np.stack(sizes, axis=1).astype(np.int64)
        largest = np.iinfo(np.int64).max
        self._bounds = np.array([b if b is not None else largest for b in (batch_size, max_atoms, max_bonds)], np.int64)
        self._shuffle, self._seed, self._rank, self._world_size = shuffle, seed, rank, world_size
        self._warn_of_large()

    def epoch(self, k: int) -> list[list[int]]:
        """Return this rank's batches of epoch ``k``: every structure is in one batch of one rank."""
        order = np.arange(len(self._sizes))
        if self._shuffle:
            order = np.random.default_rng([self._seed, k]).permutation(order)
        batches = _halve_until_divisible(self._fill(order), self._world_size)
        return batches[self._rank :: self._world_size]

    def _fill(self, order: np.ndarray) -> list[list[int]]:
        """Return consecutive runs of ``order``, each as long as its sums stay within the bounds."""
        batches: list[list[int]] = []
        used = self._bounds
        for k in order:
            if not batches or (self._sizes[k] > self._bounds - used).any():
                batches.append([])
                used = np.zeros_like(self._bounds)
            batches[-1].append(int(k))
            used = used + self._sizes[k]
        return batches

    def _warn_of_large(self) -> None:
        large = np.flatnonzero((self._sizes > self._bounds).any(axis=1))
        if len(large) and self._rank == 0:
            logger.warning(
                "%d structure(s) exceed max_atoms or max_bonds on their own and get a batch each "
                "(largest: structure %d with %d atoms and %d bonds).",
                len(large),
                *_largest(self._sizes, large),
            )


def _largest(sizes: np.ndarray, candidates: np.ndarray) -> tuple[int, int, int]:
    k = candidates[np.argmax(sizes[candidates, 2])]
    return int(k), int(sizes[k, 1]), int(sizes[k, 2])


def _halve_until_divisible(batches: list[list[int]], world_size: int) -> list[list[int]]:
    missing = -len(batches) % world_size
    for _ in range(missing):
        k = max(range(len(batches)), key=lambda b: len(batches[b]))
        half = len(batches[k]) // 2
        if half == 0:
            return batches + [[]] * (-len(batches) % world_size)
        batches[k : k + 1] = [batches[k][:half], batches[k][half:]]
    return batches
