"""What a round begins with, as proposers, selectors and judges see it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from unnp.atoms.lazy import LazyStructures
from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.errors import ConfigError
from unnp.executors.base import Executor
from unnp.exported.loader import LoadedPotential, load_model


@dataclass(frozen=True)
class Situation:
    """A round.

    Attributes:
        number: counts rounds from 0, in which there is no model yet.
        folder: the round's; what is long to compute is kept there.
        seed: of the loop.
        executor: computes what takes long.
        device: where models run.
        model: committee that was learnt last; None: there is none yet.
        learnt: labelled structures that it was learnt from.
        new: labelled structures that are about to be learnt.
        pool: labelled structures that proposers know, and selectors do not see the labels of.
        attempts: how often each task of the executor is tried.
    """

    number: int
    folder: Path
    seed: int
    executor: Executor
    device: str = "auto"
    model: Path | None = None
    learnt: Sequence[Structure] = ()
    new: Sequence[Structure] = ()
    pool: Sequence[Structure] = field(default=(), repr=False)
    attempts: int = 3

    @cached_property
    def potential(self) -> LoadedPotential:
        """The model, opened; raise ConfigError where there is none yet."""
        if self.model is None:
            raise ConfigError("there is no model in the first round; give `start` labelled structures or a number.")
        return load_model(self.model, self.device)

    def random(self, purpose: str) -> np.random.Generator:
        """Return random numbers that depend on the loop's seed, the round and a purpose, and on nothing else."""
        return np.random.default_rng([self.seed, self.number, zlib.crc32(purpose.encode())])


class Unlabelled(LazyStructures):
    """Structures without their labels, so that nothing can be chosen by what nobody knows yet.

    Args:
        structures: with or without labels.
    """

    def __init__(self, structures: Sequence[Structure]) -> None:
        self._structures = structures

    def __len__(self) -> int:
        return len(self._structures)

    def at(self, k: int) -> Structure:
        return self._structures[k].with_labels(dict.fromkeys(QUANTITIES))
