"""Known structures with their elements exchanged, at the volume that the new atoms take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt

from unnp.atoms.elements import atomic_number, symbols_of
from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.data.generation.mixture import Symbols, atomic_volume
from unnp.data.opening import open_structures
from unnp.data.readers.options import UNLABELLED
from unnp.workflows.learn.proposers.base import Proposer, register, stored
from unnp.workflows.learn.situation import Situation


class ExchangeConfig(Config):
    """Structures that are given or learnt, with other elements."""

    data: list[str] = Field(default_factory=list)
    """Files or stored data sets with structures; none: those learnt so far, from the second round on."""
    elements: Symbols = Field(min_length=2)
    """Elements that atoms become."""
    exchange: Literal["elements", "atoms"] = "elements"
    """`elements`: all atoms of one element become the same other one; `atoms`: each atom becomes any."""
    count: PositiveInt
    """Structures in a round."""
    volumes: dict[str, PositiveFloat] = Field(default_factory=dict)
    """Volume per atom [A^3] of elements; default: that of the element's crystal in ASE."""


@register("exchange")
class Exchange(Proposer):
    """Renames atoms at random, and scales all lengths by the cube root of what that does to the sum of their volumes."""

    Config = ExchangeConfig

    def __init__(self, config: ExchangeConfig, base: Path, name: str) -> None:
        super().__init__(config, base, name)
        self.needs_model = not config.data

    def propose(self, at: Situation) -> Sequence[Structure]:
        return stored(self.folder(at) / "structures", partial(self._exchanged, at))

    def _exchanged(self, at: Situation) -> Iterator[Structure]:
        paths = [self.base / path for path in self.config.data]
        known = open_structures(paths, UNLABELLED) if paths else at.learnt
        random = at.random(self.name)
        for k in random.integers(len(known), size=self.config.count if len(known) else 0):
            yield self._one(known[int(k)], random)

    def _one(self, structure: Structure, random: np.random.Generator) -> Structure:
        new = self._renamed(structure.numbers, random)
        while np.array_equal(new, structure.numbers):
            new = self._renamed(structure.numbers, random)
        factor = (self._volume(new) / self._volume(structure.numbers)) ** (1 / 3)
        moved = replace(structure, numbers=new, positions=factor * structure.positions, cell=factor * structure.cell)
        moved.source = f"{structure.source} as {' '.join(symbols_of(new))}"
        return moved.with_labels(dict.fromkeys(QUANTITIES))

    def _renamed(self, old: np.ndarray, random: np.random.Generator) -> np.ndarray:
        numbers = np.array([atomic_number(symbol) for symbol in self.config.elements])
        if self.config.exchange == "atoms":
            return random.choice(numbers, size=len(old))
        kinds, owner = np.unique(old, return_inverse=True)
        return random.choice(numbers, size=len(kinds), replace=len(kinds) > len(numbers))[owner]

    def _volume(self, numbers: np.ndarray) -> float:
        counts = {symbol: int((numbers == atomic_number(symbol)).sum()) for symbol in symbols_of(numbers)}
        return sum(n * atomic_volume(symbol, self.config.volumes) for symbol, n in counts.items())
