"""The trainings of a seed: pretrainings on labels of potentials, and runs on DFT labels with or without them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from unnp.atoms.structure import Structure
from unnp.train.labels import ENOUGH
from unnp.train.members import Member
from unnp.workflows.inject.choice import everywhere, injected
from unnp.workflows.inject.classifiers import choice_for_pool
from unnp.workflows.inject.methods import PRETRAINED, AugmentConfig, MethodConfig
from unnp.workflows.inject.seeds import Seed, name_of, write_stored
from unnp.workflows.inject.trainings import Injected, Trainings

WITHOUT = 0.0
"""Alpha of a training without labels of potentials."""


@dataclass(frozen=True)
class Run:
    """A training on DFT labels, one of those that a method tries.

    Attributes:
        architecture, method: their names.
        alpha: weight of the labels of potentials; 0 where none are learnt.
        member: settings and folder.
        robust_per_batch: energies in a batch, on average, that count by the biweight; infinite where none do.
    """

    architecture: str
    method: str
    alpha: float
    member: Member
    robust_per_batch: float = math.inf


def pretrainings(seed: Seed) -> list[Member]:
    """Return the pretrainings, each once, and write the labels that they learn from."""
    found: dict[Path, Member] = {}
    for name, method in product(seed.config.architectures, seed.config.ways.values()):
        folder = pretrained(seed, name, method)
        if method.pretrain is not None and folder is not None and folder not in found:
            found[folder] = _pretraining(seed, name, method.pretrain.potentials, folder)
    return list(found.values())


def pretrained(seed: Seed, architecture: str, method: MethodConfig) -> Path | None:
    """Return the run folder of the pretraining that a method begins with; None: it does without."""
    if method.pretrain is None:
        return None
    return seed.folder / architecture / f"{PRETRAINED}{name_of(method.pretrain.potentials)}"


def runs(seed: Seed) -> list[Run]:
    """Return all trainings on DFT labels, and write the labels that are injected."""
    pairs = product(seed.config.architectures, seed.config.ways)
    found = [run for architecture, method in pairs for run in _runs(seed, architecture, method)]
    if few := [run.robust_per_batch for run in found if run.robust_per_batch < ENOUGH]:
        print(
            f"seed {seed.seed}: {len(few)} of {len(found)} trainings have {min(few):.1f} to {max(few):.1f} injected energies "
            f"in a batch on average. The scale of Tukey's biweight needs about {ENOUGH}; raise training.batch_size.",
            flush=True,
        )
    return found


def _pretraining(seed: Seed, architecture: str, potentials: list[str] | None, folder: Path) -> Member:
    store = seed.data / f"labels-{name_of(potentials)}"
    learnt = potentials or seed.potentials
    write_stored(list(_by_potential(seed, learnt)), store)
    return Member(Trainings(seed.config, architecture, seed.seed).pretraining(store, learnt), folder)


def _by_potential(seed: Seed, potentials: Sequence[str]) -> Iterator[Structure]:
    """Yield the pool once for each potential, in a group of its name."""
    for name, labels in zip(seed.potentials, seed.pool_labels, strict=True):
        if name in potentials:
            yield from (replace(s, group=name, stress=_stress(seed, s)) for s in labels if s is not None)


def _stress(seed: Seed, structure: Structure) -> np.ndarray | None:
    return structure.stress if seed.material.has_stress else None


def _runs(seed: Seed, architecture: str, name: str) -> list[Run]:
    method, folder = seed.config.ways[name], seed.folder / architecture / name
    start = pretrained(seed, architecture, method)
    found = []
    for alpha, what in _tried(seed, architecture, method, folder / "injected"):
        training = Trainings(seed.config, architecture, seed.seed).on_labelled(name, seed.labelled, what, start)
        run = folder / ("run" if what is None else f"alpha-{alpha:g}")
        in_batch = math.inf
        if what is not None and what.robust:
            drawn = what.drawn(seed.labelled.n_structures)
            in_batch = training.batch_size * drawn / (drawn + seed.labelled.n_structures)
        found.append(Run(architecture, name, alpha, Member(training, run), in_batch))
    return found


def _tried(seed: Seed, architecture: str, method: MethodConfig, store: Path) -> list[tuple[float, Injected | None]]:
    """Return each alpha that a method tries, with what is injected, and write that."""
    if method.augment is None:
        return [(WITHOUT, None)]
    structures = _injected(seed, architecture, method.augment)
    if not structures:
        print(
            f"seed {seed.seed}, {architecture}, {store.parent.name}: no label is chosen, so nothing is injected; "
            "see classifier.tau, and choices.csv at the end.",
            flush=True,
        )
        return [(WITHOUT, None)]
    write_stored(structures, store)
    n, robust = len(structures), method.augment.robust
    per_epoch = method.augment.per_epoch
    return [(alpha, Injected(store, n, alpha, robust=robust, per_epoch=per_epoch)) for alpha in method.augment.alpha]


def _injected(seed: Seed, architecture: str, settings: AugmentConfig) -> list[Structure]:
    if settings.labels in seed.potentials:
        choice, confidence = everywhere(seed.potentials.index(settings.labels), len(seed.material.pool)), []
    else:
        choice, confidence = choice_for_pool(seed, architecture, settings.potentials), list(settings.confidence)
    return injected(choice, seed.pool_labels, confidence, stress=seed.material.has_stress)
