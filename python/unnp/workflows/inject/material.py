"""The structures of an injection, what the potentials say of them, and how each seed divides them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from unnp.atoms.elements import Elements, elements_of
from unnp.atoms.quantities import STANDARD
from unnp.atoms.structure import Structure
from unnp.data.fingerprint import fingerprint
from unnp.data.labellers import file_checksums
from unnp.data.opening import open_structures
from unnp.data.splits import Size, split, split_by_key
from unnp.errors import ConfigError, DataError
from unnp.workflows.inject.config import InjectConfig, InjectData
from unnp.workflows.inject.labels import Aligned, Computed, align, calculator
from unnp.workflows.inject.nearest import COMPARED, Distances, distances

DIGITS = 3
"""Of positions and cells [A] that are compared: files of the same structure may have different numbers of digits."""
INJECTED = "injected"
"""Group of the structures with labels of empirical potentials."""


@dataclass(frozen=True)
class Material:
    """All structures in one row: those labelled, those for the test, the pool.

    Attributes:
        structures: all.
        n_labelled: at the beginning, of which seeds draw.
        n_test: behind them, from files of their own.
        elements: of all.
        said: what is to be said of structures that stand there twice; empty: nothing.
    """

    structures: list[Structure]
    n_labelled: int
    n_test: int
    elements: Elements
    said: str = ""

    @property
    def pool(self) -> range:
        """Positions of the pool."""
        return range(self.n_labelled + self.n_test, len(self.structures))

    @property
    def fingerprint(self) -> str:
        """What tells the structures and their labels from others."""
        return fingerprint(self.structures, labels=STANDARD)

    @property
    def has_stress(self) -> bool:
        """Whether a labelled structure has a stress."""
        return any(structure.stress is not None for structure in self.structures[: self.n_labelled])

    def at(self, positions: Sequence[int]) -> list[Structure]:
        """Return the structures at positions."""
        return [self.structures[k] for k in positions]

    def check(self, config: InjectConfig) -> None:
        """Raise ConfigError where errors or classes are asked for that the labelled structures have no labels for."""
        labelled = self.structures[: self.n_labelled]
        if not any(structure.label(config.judge) is not None for structure in labelled):
            raise ConfigError(f"judge: no labelled structure has {config.judge}; choose another, or give that label.")
        for name in COMPARED[config.classifier.nearest]:
            if any(structure.label(name) is None for structure in labelled):
                raise ConfigError(
                    f"classifier.nearest: {config.classifier.nearest} compares {name}, and a labelled structure has none; "
                    "compare what all of them have."
                )

    def marks(self, config: InjectConfig, base: Path) -> dict[str, object]:
        """Return what tells data and potentials from others, as JSON; files that potentials name are told by their contents."""
        found = {name: calculator(given, base) for name, given in config.potentials.items()}
        return {
            "structures": self.fingerprint,
            "potentials": {name: settings for name, (settings, _) in found.items()},
            "files of potentials": {name: file_checksums(*each) for name, each in found.items()},
        }


@dataclass(frozen=True)
class Split:
    """Positions of the structures of a seed, by what they are for."""

    train: list[int]
    validation: list[int]
    test: list[int]


@dataclass(frozen=True)
class Division:
    """What a seed makes of the material: its split, the aligned labels, and how far they are from the labels.

    Attributes:
        split: of the labelled structures.
        aligned: labels of each potential.
        distances: of all structures.
    """

    split: Split
    aligned: dict[str, Aligned]
    distances: Distances


def open_material(data: InjectData, base: Path, before: str | None = None) -> Material:
    """Return all structures of a configuration; those of the pool that are labelled or test structures too are left out.

    Args:
        data: the files.
        base: where relative paths begin.
        before: fingerprint of the structures that a run has begun with; where that was with repeated ones, they stay.

    Raises:
        DataError: files cannot be read, a labelled structure has no energy, the pool has elements that those do not have, or
            a structure of the test files is a labelled one too.
        ConfigError: a group has the name of the one that pool structures get.
    """
    labelled = _open(data, data.labelled, base)
    test = _open(data, data.test, base) if isinstance(data.test, list) else []
    for structure in (*labelled, *test):
        if structure.energy is None:
            raise DataError(f"{structure.source} has no energy; leave it out, or give it to the pool.")
        if structure.group == INJECTED:
            raise ConfigError(
                f"{structure.source} is of the group '{INJECTED}', which structures of the pool get; rename it."
            )
    pool = _open(data, data.pool, base)
    known, tested = ({_alike(structure) for structure in part} for part in (labelled, test))
    twice = [structure for structure in test if _alike(structure) in known]
    fresh = [structure for structure in pool if _alike(structure) not in known | tested]
    n_left_out, said = len(pool) - len(fresh), _said_of_labelled(len(labelled) - len(known))
    if (twice or n_left_out) and before is not None:
        every = _material(data, labelled, test, pool)
        if every.fingerprint == before:
            n = sum(_alike(structure) in known | tested for structure in every.at(every.pool))
            said += (
                f"{len(twice)} test structures are labelled ones too, and {n} of the pool labelled or test structures. "
            )
            said += "They stay, as this run has begun with them; a run in another folder is without."
            return replace(every, said=said)
    if twice:
        raise DataError(
            f"{len(twice)} of {len(test)} test structures are labelled structures too, the first is {twice[0].source}: errors "
            "on what is learnt say nothing. Take them out of data.test, or out of data.labelled."
        )
    if pool and not fresh:
        raise DataError("all structures of the pool are labelled or test structures too; give others in data.pool.")
    if n_left_out:
        said += (
            f"{n_left_out} of {len(pool)} structures of the pool are labelled or test structures too, and are left out."
        )
    return replace(_material(data, labelled, test, fresh), said=said.rstrip())


def _said_of_labelled(n: int) -> str:
    """Return what is to be said of labelled structures that repeat others of them."""
    if not n:
        return ""
    return f"{n} labelled structures repeat others of them, so that a seed may draw one to learn and its like for the test.\n"


def _material(data: InjectData, labelled: list[Structure], test: list[Structure], pool: list[Structure]) -> Material:
    """Return the structures, of the pool those that are drawn; raise DataError where the labelled ones lack an element."""
    if data.pool_size is not None:
        drawn = split_by_key(range(len(pool)), _parts(len(pool), data.pool_size, "pool"), seed=0)["pool"]
        pool = [pool[k] for k in drawn]
    known, found = (elements_of(part) for part in (labelled, [*pool, *test]))
    if unknown := [symbol for symbol in found if symbol not in known]:
        raise DataError(
            f"no labelled structure has {', '.join(unknown)}, of which pool or test structures are made; label some."
        )
    return Material([*labelled, *test, *pool], len(labelled), len(test), Elements(known))


def _alike(structure: Structure) -> str:
    """Return what structures of the same atoms at the same places have in common, whatever their groups and labels."""
    positions, cell = (np.round(each, DIGITS) + 0.0 for each in (structure.positions, structure.cell))  # + 0.0: no -0.0
    return fingerprint([replace(structure, group="", positions=positions, cell=cell)])


def divide(material: Material, config: InjectConfig, computed: Mapping[str, Computed], seed: int) -> Division:
    """Return what a seed makes of the material; the zeros of energy are aligned on its training structures."""
    own = split_of(material, config.data, seed)
    robust = config.alignment == "robust"
    aligned = {
        name: align(labels, material.structures, own.train, material.elements, config.bounds, robust=robust)
        for name, labels in computed.items()
    }
    return Division(own, aligned, distances(material.structures, [each.labels for each in aligned.values()]))


def split_of(material: Material, data: InjectData, seed: int) -> Split:
    """Return the positions that a seed draws; errors are those of ``unnp.data.splits.split``."""
    left, test = (
        list(range(material.n_labelled)),
        list(range(material.n_labelled, material.n_labelled + material.n_test)),
    )
    if not isinstance(data.test, list):
        test, left = _drawn(material, left, data.test, seed)
    validation, left = _drawn(material, left, data.validation, seed)
    if data.train is not None and data.train < len(left):
        left, _ = _drawn(material, left, data.train, seed)
    return Split(left, validation, test)


def _drawn(material: Material, among: list[int], size: float, seed: int) -> tuple[list[int], list[int]]:
    """Return positions that are drawn, of each group its share, and the others."""
    parts = split(material.at(among), {"drawn": size, "others": "rest"}, seed=seed, stratify=True)
    return [among[k] for k in parts["drawn"]], [among[k] for k in parts["others"]]


def _open(data: InjectData, paths: Sequence[str], base: Path) -> list[Structure]:
    options = data.read.model_copy(update={"missing": "allow"})
    return list(open_structures([base / path for path in paths], options))


def _parts(n: int, size: int, name: str) -> dict[str, Size]:
    if size > n:
        raise ConfigError(f"data.pool_size: {size} structures are asked for, and there are {n} in the {name}.")
    return {name: size} if size == n else {name: size, "others": "rest"}
