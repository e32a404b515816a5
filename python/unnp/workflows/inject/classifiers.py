"""The classifiers of a seed: which ones its methods need, and what they chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unnp.workflows.inject.choice import Choice, choice_of
from unnp.workflows.inject.classifier import Task, probabilities
from unnp.workflows.inject.methods import CLASSIFIER
from unnp.workflows.inject.nearest import classes
from unnp.workflows.inject.seeds import Seed, name_of


def classifiers(seed: Seed) -> list[Task]:
    """Return the classifiers that methods need: for each architecture, one for each set of potentials to choose among."""
    return [_task(seed, name, chosen) for name in seed.config.architectures for chosen in _chosen_among(seed)]


def chooses_among_all(seed: Seed) -> bool:
    """Return whether a method needs the classifier that chooses among all potentials."""
    return seed.potentials in _chosen_among(seed)


def choice_for_pool(seed: Seed, architecture: str, potentials: Sequence[str] | None = None) -> Choice:
    """Return what the classifier chose for the pool, among some potentials; None: all."""
    return _choice(seed, architecture, potentials, slice(len(seed.division.split.test), None))


def choice_for_test(seed: Seed, architecture: str) -> Choice:
    """Return what the classifier chose for the test structures, among all potentials."""
    return _choice(seed, architecture, None, slice(len(seed.division.split.test)))


def _chosen_among(seed: Seed) -> list[list[str]]:
    """Return the sets of potentials that classifiers choose among, each once."""
    augments = [method.augment for method in seed.config.ways.values() if method.needs_classifier]
    asked = (tuple(each.potentials or seed.potentials) for each in augments if each is not None)
    return [list(chosen) for chosen in dict.fromkeys(asked)]


def _choice(seed: Seed, architecture: str, potentials: Sequence[str] | None, part: slice) -> Choice:
    """Return the choice with the positions of the potentials among all of them."""
    among = list(potentials or seed.potentials)
    found = choice_of(probabilities(_task(seed, architecture, among))[part])
    places = np.array([*(seed.potentials.index(name) for name in among), len(seed.potentials)])
    return replace(found, potential=places[found.potential])


def _task(seed: Seed, architecture: str, potentials: list[str]) -> Task:
    split = seed.division.split
    positions = [seed.potentials.index(name) for name in potentials]
    found = classes(seed.division.distances.by(positions), seed.config.classifier)
    file = CLASSIFIER if potentials == seed.potentials else f"{CLASSIFIER}-{name_of(potentials)}"
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
