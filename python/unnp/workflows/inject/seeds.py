"""All that is done for one seed: split, pretraining, classifiers, trainings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np

from unnp.atoms.quantities import QUANTITIES, STANDARD
from unnp.atoms.structure import Structure
from unnp.data.fingerprint import fingerprint
from unnp.data.reference_energies import reference_energies
from unnp.data.store import Store, is_store
from unnp.data.store_writer import write_store
from unnp.workflows.inject.choice import Choice, choice_of, everywhere, injected
from unnp.workflows.inject.classifier import Task, probabilities
from unnp.workflows.inject.config import InjectConfig
from unnp.workflows.inject.labels import Computed
from unnp.workflows.inject.material import Division, Material, divide
from unnp.workflows.inject.methods import PRETRAINED, AugmentConfig, MethodConfig
from unnp.workflows.inject.nearest import classes
from unnp.workflows.inject.trainings import Injected, of_dft, pretraining
from unnp.workflows.learn.committee import Member

WITHOUT = 0.0
"""Alpha of a training without labels of potentials."""


@dataclass(frozen=True)
class Run:
    """A training on DFT labels, one of those that a method tries.

    Attributes:
        architecture, method: their names.
        alpha: weight of the labels of potentials; 0 where none are learnt.
        member: settings and folder.
    """

    architecture: str
    method: str
    alpha: float
    member: Member


class Seed:
    """What a seed draws, and the folders of what is made of it.

    Args:
        config: of all.
        material: all structures.
        computed: labels of each potential.
        seed: its number.
        folder: of the injection, absolute.
    """

    def __init__(
        self, config: InjectConfig, material: Material, computed: Mapping[str, Computed], seed: int, folder: Path
    ) -> None:
        self.config, self.material, self.seed = config, material, seed
        self.folder = folder / f"seed-{seed}"
        self.division: Division = divide(material, config, computed, seed)
        self.potentials = list(computed)

    @property
    def data(self) -> Path:
        """Folder of the stored structures."""
        return self.folder / "data"

    def write_data(self) -> None:
        """Write the stored structures that trainings and classifiers read."""
        split = self.division.split
        for name in ("train", "validation", "test"):
            _write(self.material.at(getattr(split, name)), self.data / name)
        hidden = dict.fromkeys(QUANTITIES)
        _write([s.with_labels(hidden) for s in self.material.at(self.material.pool)], self.data / "pool")

    def pretrainings(self) -> list[Member]:
        """Return the pretrainings, and write the labels that they learn from."""
        return [self._pretraining(name, method) for name, method in self._pairs() if method.pretrain is not None]

    def classifiers(self) -> list[Task]:
        """Return the classifiers that methods need, one for each architecture."""
        if not any(method.needs_classifier for method in self.config.methods.values()):
            return []
        return [self._classifier(name) for name in self.config.architectures]

    def runs(self) -> list[Run]:
        """Return all trainings on DFT labels, and write the labels that are injected."""
        pairs = product(self.config.architectures, self.config.methods.items())
        return [run for name, (method, settings) in pairs for run in self._runs(name, method, settings)]

    def choice(self, architecture: str) -> Choice:
        """Return what the classifier chose for the pool."""
        return choice_of(self._probabilities(architecture)[len(self.division.split.test) :])

    def choice_for_test(self, architecture: str) -> Choice:
        """Return what the classifier chose for the test structures."""
        return choice_of(self._probabilities(architecture)[: len(self.division.split.test)])

    def pretrained(self, architecture: str, method: MethodConfig) -> Path | None:
        """Return the run folder of the pretraining that a method begins with; None: it does without."""
        if method.pretrain is None:
            return None
        return self.folder / architecture / f"{PRETRAINED}{self._key(method)}"

    @cached_property
    def zeros(self) -> dict[str, float]:
        """Reference energies by least squares of the training structures alone: labels far off may not move them."""
        train = self.material.at(self.division.split.train)
        return reference_energies(train, self.material.elements, "least-squares")

    @cached_property
    def pool_labels(self) -> list[Computed]:
        """The aligned labels of the pool by each potential."""
        pool = self.material.pool
        return [each.labels[pool.start :] for each in self.division.aligned.values()]

    def _pairs(self) -> Iterator[tuple[str, MethodConfig]]:
        """Yield architectures and methods, those that begin with the same pretraining once."""
        seen = set()
        for name in self.config.architectures:
            for method in self.config.methods.values():
                key = (name, self._key(method))
                if key not in seen:
                    seen.add(key)
                    yield name, method

    def _key(self, method: MethodConfig) -> str:
        """Return the name of the potentials that a pretraining learns; empty without one."""
        if method.pretrain is None:
            return ""
        return "all" if method.pretrain.potentials is None else "-".join(method.pretrain.potentials)

    def _pretraining(self, architecture: str, method: MethodConfig) -> Member:
        assert method.pretrain is not None
        potentials = method.pretrain.potentials or self.potentials
        store = self.data / f"labels-{self._key(method)}"
        _write(list(self._by_potential(potentials)), store)
        folder = self.pretrained(architecture, method)
        assert folder is not None
        return Member(pretraining(self.config, architecture, self.seed, store, potentials), folder)

    def _by_potential(self, potentials: Sequence[str]) -> Iterator[Structure]:
        """Yield the pool once for each potential, in a group of its name."""
        for name, labels in zip(self.potentials, self.pool_labels, strict=True):
            if name in potentials:
                yield from (replace(s, group=name, stress=self._stress(s)) for s in labels if s is not None)

    def _stress(self, structure: Structure) -> np.ndarray | None:
        return structure.stress if self.material.has_stress else None

    def _classifier(self, architecture: str) -> Task:
        split = self.division.split
        found = classes(self.division.distances, self.config.classifier)
        return Task(
            self.config.architectures[architecture].potential,
            self.config.classifier,
            (self.data / "train", found[split.train].tolist()),
            (self.data / "validation", found[split.validation].tolist()),
            (self.data / "test", self.data / "pool"),
            self.material.elements.symbols,
            len(self.potentials) + 1,
            self.seed,
            self.config.device,
            self.folder / architecture / "classifier.json",
        )

    def _probabilities(self, architecture: str) -> np.ndarray:
        return probabilities(self._classifier(architecture))

    def _runs(self, architecture: str, name: str, method: MethodConfig) -> list[Run]:
        folder, start = self.folder / architecture / name, self.pretrained(architecture, method)
        n_labelled = len(self.division.split.train)
        structures = [] if method.augment is None else self._injected(architecture, method.augment)
        if method.augment is None or not structures:
            training = of_dft(
                self.config, architecture, name, self.seed, self.data, None, n_labelled, start, self.zeros
            )
            return [Run(architecture, name, WITHOUT, Member(training, folder / "run"))]
        store = folder / "injected"
        _write(structures, store)
        found = []
        for alpha in method.augment.alpha:
            what = Injected(store, len(structures), alpha, robust=method.augment.robust)
            training = of_dft(
                self.config, architecture, name, self.seed, self.data, what, n_labelled, start, self.zeros
            )
            found.append(Run(architecture, name, alpha, Member(training, folder / f"alpha-{alpha:g}")))
        return found

    def _injected(self, architecture: str, settings: AugmentConfig) -> list[Structure]:
        if settings.labels in self.potentials:
            choice, confidence = everywhere(self.potentials.index(settings.labels), len(self.material.pool)), []
        else:
            choice, confidence = self.choice(architecture), list(settings.confidence)
        return injected(choice, self.pool_labels, confidence, stress=self.material.has_stress)


def _write(structures: Sequence[Structure], path: Path) -> None:
    """Write a stored data set where it does not hold these very structures."""
    if is_store(path) and fingerprint(Store(path), labels=STANDARD) == fingerprint(structures, labels=STANDARD):
        return
    write_store(structures, path, overwrite=True)
