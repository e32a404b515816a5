"""The classifiers of a seed: which ones its methods need, and what they chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unnp.workflows.inject.choice import Choice, choice_of
from unnp.workflows.inject.classifier import Task, probabilities
from unnp.workflows.inject.config import InjectConfig
from unnp.workflows.inject.methods import CLASSIFIER
from unnp.workflows.inject.nearest import classes
from unnp.workflows.inject.seeds import Seed, name_of

Among = tuple[str, ...]
"""Potentials that a classifier chooses among, beside none."""


def classifiers(seed: Seed) -> list[Task]:
    """Return the classifiers that methods need: for each architecture, one for each set of potentials to choose among."""
    return [_task(seed, name, chosen) for name in seed.config.architectures for chosen in chosen_among(seed.config)]


def chosen_among(config: InjectConfig) -> dict[Among, list[str]]:
    """Return the sets of potentials that classifiers choose among, with the names of the methods that take their choice."""
    found: dict[Among, list[str]] = {}
    for name, method in config.ways.items():
        if method.augment is not None and method.needs_classifier:
            found.setdefault(tuple(method.augment.potentials or config.potentials), []).append(name)
    return found


def words_of(among: Sequence[str], potentials: Sequence[str]) -> str:
    """Return what a classifier chooses among, in words: ``all``, ``all but SW`` or ``SW, EDIP``."""
    absent = [name for name in potentials if name not in among]
    if not absent:
        return "all"
    return f"all but {absent[0]}" if len(absent) == 1 and len(among) > 1 else ", ".join(among)


def choice_for_pool(seed: Seed, architecture: str, potentials: Sequence[str] | None = None) -> Choice:
    """Return what the classifier chose for the pool, among some potentials; None: all."""
    return _choice(seed, architecture, potentials, slice(len(seed.division.split.test), None))


def choice_for_test(seed: Seed, architecture: str, potentials: Sequence[str] | None = None) -> Choice:
    """Return what the classifier chose for the test structures, among some potentials; None: all."""
    return _choice(seed, architecture, potentials, slice(len(seed.division.split.test)))


def right_classes(seed: Seed, among: Sequence[str]) -> np.ndarray:
    """Return what would be right for each structure: the position among all potentials of the nearest of some.

    It is their number where none is near; a potential that is not one of these is never right.
    """
    places = _places(seed, among)
    return places[classes(seed.division.distances.by(places[:-1].tolist()), seed.config.classifier)]


def _places(seed: Seed, among: Sequence[str]) -> np.ndarray:
    """Return the positions of potentials among all, and behind them that of none."""
    return np.array([*(seed.potentials.index(name) for name in among), len(seed.potentials)])


def _choice(seed: Seed, architecture: str, potentials: Sequence[str] | None, part: slice) -> Choice:
    """Return the choice with the positions of the potentials among all of them."""
    among = tuple(potentials or seed.potentials)
    found = choice_of(_probabilities(seed, architecture, among)[part])
    return replace(found, potential=_places(seed, among)[found.potential])


def _probabilities(seed: Seed, architecture: str, among: Among) -> np.ndarray:
    """Return those of a classifier, which are compared with what they were made with once: the tables ask for them often."""
    key = (architecture, *among)
    if key not in seed.asked:
        seed.asked[key] = probabilities(_task(seed, architecture, among))
    return seed.asked[key]


def _task(seed: Seed, architecture: str, potentials: Sequence[str]) -> Task:
    split = seed.division.split
    positions = [seed.potentials.index(name) for name in potentials]
    found = classes(seed.division.distances.by(positions), seed.config.classifier)
    file = CLASSIFIER if list(potentials) == seed.potentials else f"{CLASSIFIER}-{name_of(potentials)}"
    return Task(
        seed.config.architectures[architecture].potential,
        seed.config.classifier,
        (seed.data / "train", found[split.train].tolist()),
        (seed.data / "validation", found[split.validation].tolist()),
        (seed.data / "test", seed.data / "pool"),
        seed.material.elements.symbols,
        len(potentials) + 1,
        seed.seed,
        seed.config.device,
        seed.folder / architecture / f"{file}.json",
    )
