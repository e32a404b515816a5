"""Which structures go into which batch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from unnp.atoms.outputs import Cost
from unnp.errors import ConfigError

logger = logging.getLogger(__name__)
T = TypeVar("T")


def runs(items: Iterable[T], size_of: Callable[[T], np.ndarray], bounds: np.ndarray) -> Iterator[list[T]]:
    """Yield consecutive runs of items, each as long as its sizes sum up within bounds; an item beyond them stands alone.

    Args:
        items: gone through once.
        size_of: sizes (n_sizes,) int64 of an item.
        bounds: (n_sizes,) int64.
    """
    run: list[T] = []
    used = np.zeros_like(bounds)
    for item in items:
        size = size_of(item)
        if run and (size > bounds - used).any():
            yield run
            run, used = [], np.zeros_like(bounds)
        run.append(item)
        used = used + size
    if run:
        yield run


class BatchSampler:
    """Batches bounded by structures, atoms and what these cost, the same for everyone who knows (seed, epoch).

    Batches are made for all ranks together and dealt out, so that ranks never share a structure. All ranks get equally
    many: where the number of batches is no multiple of ``world_size``, the largest are halved; only where nothing is
    left to halve (fewer structures than ranks) the last ranks get an empty list, and take part with nothing.

    Args:
        n_atoms: (n_structures,) atoms of each structure.
        costs: (n_structures,) bonds or triplets of each structure.
        unit: which of them, for messages.
        batch_size: structures per batch and rank at most.
        max_atoms: atoms per batch and rank at most; None: no bound.
        max_cost: bonds or triplets per batch and rank at most; None: no bound.
        shuffle: new order in each epoch; False: order of the structures.
        drawn: of how many structures at the end, and how many of these each epoch draws anew; the others are in every epoch.
        seed: seed for the order.
        rank: this process.
        world_size: number of processes.

    Raises:
        ConfigError: a bound is below 1, the arrays differ in length, or rank is not below world_size.
    """

    def __init__(
        self,
        n_atoms: Sequence[int] | np.ndarray,
        costs: Sequence[int] | np.ndarray,
        *,
        unit: Cost = "bonds",
        batch_size: int,
        max_atoms: int | None = None,
        max_cost: int | None = None,
        shuffle: bool,
        seed: int,
        drawn: tuple[int, int] = (0, 0),
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if len(n_atoms) != len(costs):
            raise ConfigError(f"n_atoms has {len(n_atoms)} entries and costs {len(costs)}; they must agree.")
        for name, bound in {"batch_size": batch_size, "max_atoms": max_atoms, "max_cost": max_cost}.items():
            if bound is not None and bound < 1:
                raise ConfigError(f"{name} must be 1 or more, got {bound}.")
        if not 0 <= rank < world_size:
            raise ConfigError(f"rank must be in 0..{world_size - 1}, got {rank}.")
        sizes = [np.ones(len(n_atoms)), np.asarray(n_atoms), np.asarray(costs)]
        self._sizes = np.stack(sizes, axis=1).astype(np.int64)
        largest = np.iinfo(np.int64).max
        self._bounds = np.array([b if b is not None else largest for b in (batch_size, max_atoms, max_cost)], np.int64)
        self._drawn = drawn
        self._shuffle, self._seed, self._rank, self._world_size = shuffle, seed, rank, world_size
        self._warn_of_large(unit)

    def epoch(self, k: int) -> list[list[int]]:
        """Return this rank's batches of epoch ``k``: every structure of the epoch is in one batch of one rank."""
        order = self._structures_of(k)
        if self._shuffle:
            order = np.random.default_rng([self._seed, k]).permutation(order)
        filled = [[int(k) for k in run] for run in runs(order, lambda k: self._sizes[k], self._bounds)]
        batches = _halve_until_divisible(filled, self._world_size)
        return batches[self._rank :: self._world_size]

    def _structures_of(self, k: int) -> np.ndarray:
        n_pool, n_drawn = self._drawn
        first = len(self._sizes) - n_pool
        drawn = np.random.default_rng([self._seed, k, 1]).permutation(n_pool)[:n_drawn]
        return np.concatenate([np.arange(first), first + np.sort(drawn)])

    def _warn_of_large(self, unit: Cost) -> None:
        large = np.flatnonzero((self._sizes > self._bounds).any(axis=1))
        if len(large) and self._rank == 0:
            logger.warning(
                "%d structure(s) exceed max_atoms or max_cost on their own and get a batch each "
                "(largest: structure %d with %d atoms and %d %s).",
                len(large),
                *_largest(self._sizes, large),
                unit,
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
