"""From the data part of a configuration to data sets that fit the potential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unnp.atoms.elements import Elements
from unnp.atoms.lazy import LazyStructures
from unnp.atoms.quantities import FURTHER, STANDARD
from unnp.atoms.structure import Structure
from unnp.data.batching import BatchSampler
from unnp.data.dataset import Dataset
from unnp.data.opening import open_structures, origins_of, sources_of
from unnp.data.splits import split
from unnp.data.statistics import Statistics, atom_counts, group_names, statistics
from unnp.errors import ConfigError, DataError
from unnp.train.config import DataConfig, ReplayConfig, ThinnedConfig, TrainConfig
from unnp.train.distributed import Processes

Structures = Sequence[Structure]

TINY = 0.01
"""Part of the structures of an epoch below which those that it draws are called few."""


class Subset(LazyStructures):
    """Some of the structures of a sequence, read when asked for.

    Args:
        structures: all.
        indices: positions of the structures that belong to the subset.
    """

    def __init__(self, structures: Structures, indices: Sequence[int]) -> None:
        self._structures = structures
        self._indices = list(indices)
        self.n_atoms: np.ndarray = atom_counts(structures)[self._indices]
        names = group_names(structures)
        self.group_names = [names[k] for k in self._indices]
        self.origins = origins_of(structures)
        self.sources = sources_of(structures)

    def __len__(self) -> int:
        return len(self._indices)

    def at(self, k: int) -> Structure:
        return self._structures[self._indices[k]]


@dataclass(frozen=True)
class Sources:
    """The structures of a training and what is known of those that are trained on.

    Attributes:
        train, validation, test: structures by what they are for.
        statistics: of the training structures.
        old: held back from the training that this one begins with, for the errors at the end.
        old_heads: name of the head of each group of old structures.
        pool: structures at the end of ``train`` of which each epoch draws some: old ones, or those of thinned groups.
        drawn: how many of these an epoch draws.
    """

    train: Structures
    validation: Structures
    test: Structures
    statistics: Statistics
    old: Structures = ()
    old_heads: Mapping[str, str] = field(default_factory=dict)
    pool: int = 0
    drawn: int = 0

    @property
    def parts(self) -> dict[str, Structures]:
        """The structures by what they are for."""
        return {"train": self.train, "validation": self.validation, "test": self.test, "old": self.old}

    @property
    def groups(self) -> list[str]:
        """Names of the groups of all structures."""
        return sorted({name for part in self.parts.values() for name in group_names(part)})

    @property
    def summary(self) -> dict[str, Any]:
        """What is kept in checkpoints and cards; also tells whether data have changed since."""
        counts = {"n_validation": len(self.validation), "n_test": len(self.test)}
        if self.pool:
            counts |= {"n_pool": self.pool, "n_pool_per_epoch": self.drawn}
        found = origins_of(self.train)
        return {**self.statistics.to_dict(), **counts, **({"labels_from": found} if found else {})}


def open_sources(config: DataConfig, seed: int) -> Sources:
    """Open all structures.

    Raises:
        DataError: a file is wrong or a part is empty.
        ConfigError: a group that is to be thinned is not there, or is smaller than what is to be drawn of it.
    """
    train = open_structures(config.train, config.read)
    drawn_by = seed if config.split_seed is None else config.split_seed
    if isinstance(config.validation, list):
        validation = open_structures(config.validation, config.read)
    else:
        parts = split(train, {"validation": config.validation, "train": "rest"}, seed=drawn_by, stratify=True)
        train, validation = Subset(train, parts["train"]), Subset(train, parts["validation"])
    if config.fraction < 1:
        learnt = split(train, {"learnt": config.fraction, "left out": "rest"}, seed=drawn_by, stratify=True)["learnt"]
        train = Subset(train, learnt)
    test: Structures = open_structures(config.test, config.read) if config.test else []
    for name, part in {"train": train, "validation": validation}.items():
        if not len(part):
            raise DataError(f"data.{name} holds no structure; give more data or another data.validation fraction.")
    known = statistics(train)
    for name, part in {"validation": validation, "test": test}.items():
        unknown = set(statistics(part).elements) - set(known.elements)
        if unknown:
            raise DataError(
                f"data.{name} contains {', '.join(sorted(unknown))}, but the training structures only "
                f"{', '.join(known.elements)}. Train on these elements too, or take their structures out."
            )
    if config.thinned is None:
        return Sources(train, validation, test, known)
    train, pool = _thinned_last(train, config.thinned)
    return Sources(train, validation, test, known, pool=pool, drawn=number_drawn(config.thinned, pool, "data.thinned"))


def _thinned_last(train: Structures, thinned: ThinnedConfig) -> tuple[Structures, int]:
    """Return the structures with those of thinned groups at the end, and the number of these."""
    names = group_names(train)
    if absent := sorted(set(thinned.groups) - set(names)):
        raise ConfigError(
            f"data.thinned.groups: no training structure has the group {', '.join(map(repr, absent))}; there are "
            f"{', '.join(map(repr, sorted(set(names))))}."
        )
    last = [k for k, name in enumerate(names) if name in thinned.groups]
    first = [k for k, name in enumerate(names) if name not in thinned.groups]
    return Subset(train, first + last), len(last)


def number_drawn(settings: ThinnedConfig | ReplayConfig, n_pool: int, where: str) -> int:
    """Return how many of a pool an epoch draws; raise ConfigError where these are none, or more than there are."""
    wanted = settings.per_epoch
    n_drawn = round(wanted * n_pool) if isinstance(wanted, float) else wanted
    if not 1 <= n_drawn <= n_pool:
        raise ConfigError(
            f"{where}.per_epoch: {wanted} of {n_pool} structures are {n_drawn}; it must be from 1 to {n_pool} of them."
        )
    return n_drawn


def tiny_share(config: TrainConfig, sources: Sources) -> str:
    """Return what to say where an epoch draws next to nothing of what it draws from; else nothing."""
    settings, where = (config.data.thinned, "data.thinned") if config.replay is None else (config.replay, "replay")
    seen = len(sources.train) - sources.pool + sources.drawn
    if settings is None or sources.drawn == sources.pool or (sources.drawn > 1 and sources.drawn >= TINY * seen):
        return ""
    return (
        f"{where}.per_epoch: {settings.per_epoch} is {sources.drawn} of {sources.pool} structures, beside "
        f"{seen - sources.drawn} others in each epoch: so few hardly count. A whole number is a number of structures, "
        "one with a decimal point their fraction, and 1.0 all of them."
    )


def make_datasets(
    config: TrainConfig, sources: Sources, elements: Elements, cutoff: float, heads: Mapping[str, int]
) -> dict[str, Dataset]:
    """Return the data sets; the training set may use the memory that is allowed, the others a quarter of it.

    Args:
        config: the training's configuration.
        sources: the structures.
        elements: elements that the potential knows.
        cutoff: length [A] of the longest bond.
        heads: position of the head of each group.
    """
    size = int(config.data.cache_gib * 2**30)
    quantities = [*STANDARD, *(name for name in config.loss.used() if name in FURTHER)]

    def make(name: str, part: Structures) -> Dataset:
        cache = size if name == "train" else size // 4
        return Dataset(
            part, elements, cutoff, cache_bytes=cache, groups=sources.groups, heads=heads, quantities=quantities
        )

    return {name: make(name, part) for name, part in sources.parts.items() if len(part)}


def sampler_of(
    config: TrainConfig, dataset: Dataset, processes: Processes, *, shuffle: bool, drawn: tuple[int, int] = (0, 0)
) -> BatchSampler:
    """Return the batches of a data set for this process; ``drawn`` as of ``BatchSampler``."""
    unit = config.potential.cost()
    return BatchSampler(
        dataset.n_atoms,
        dataset.costs(unit),
        unit=unit,
        batch_size=config.batch_size,
        max_atoms=config.max_atoms,
        max_cost=config.max_cost,
        shuffle=shuffle,
        drawn=drawn,
        seed=config.seed,
        rank=processes.rank,
        world_size=processes.world_size,
    )
