"""All that is done for one seed: split, pretraining, classifiers, trainings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
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
from unnp.workflows.inject.methods import CLASSIFIER, PRETRAINED, AugmentConfig, MethodConfig
from unnp.workflows.inject.nearest import classes
from unnp.workflows.inject.trainings import Injected, of_dft, pretraining
from unnp.workflows.learn.committee import Member

MOST_LETTERS = 100
"""Of the potentials in the name of a file."""
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
        """Return the pretrainings, each once, and write the labels that they learn from."""
        found: dict[Path, Member] = {}
        for name, method in product(self.config.architectures, self.config.ways.values()):
            folder = self.pretrained(name, method)
            if method.pretrain is not None and folder is not None and folder not in found:
                found[folder] = self._pretraining(name, method.pretrain.potentials, folder)
        return list(found.values())

    def classifiers(self) -> list[Task]:
        """Return the classifiers that methods need: for each architecture, one for each set of potentials to choose among."""
        return [self._classifier(name, chosen) for name in self.config.architectures for chosen in self._chosen_among()]

    @property
    def chooses_among_all(self) -> bool:
        """Whether a method needs the classifier that chooses among all potentials."""
        return self.potentials in self._chosen_among()

    def runs(self) -> list[Run]:
        """Return all trainings on DFT labels, and write the labels that are injected."""
        pairs = product(self.config.architectures, self.config.ways.items())
        return [run for name, (method, settings) in pairs for run in self._runs(name, method, settings)]

    def choice(self, architecture: str, potentials: Sequence[str] | None = None) -> Choice:
        """Return what the classifier chose for the pool, among some potentials; None: all."""
        return self._choice(architecture, potentials, slice(len(self.division.split.test), None))

    def choice_for_test(self, architecture: str) -> Choice:
        """Return what the classifier chose for the test structures, among all potentials."""
        return self._choice(architecture, None, slice(len(self.division.split.test)))

    def pretrained(self, architecture: str, method: MethodConfig) -> Path | None:
        """Return the run folder of the pretraining that a method begins with; None: it does without."""
        if method.pretrain is None:
            return None
        return self.folder / architecture / f"{PRETRAINED}{_key(method.pretrain.potentials)}"

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

    def _chosen_among(self) -> list[list[str]]:
        """Return the sets of potentials that classifiers choose among, each once."""
        augments = [method.augment for method in self.config.ways.values() if method.needs_classifier]
        asked = (tuple(each.potentials or self.potentials) for each in augments if each is not None)
        return [list(chosen) for chosen in dict.fromkeys(asked)]

    def _pretraining(self, architecture: str, potentials: list[str] | None, folder: Path) -> Member:
        store = self.data / f"labels-{_key(potentials)}"
        learnt = potentials or self.potentials
        _write(list(self._by_potential(learnt)), store)
        return Member(pretraining(self.config, architecture, self.seed, store, learnt), folder)

    def _by_potential(self, potentials: Sequence[str]) -> Iterator[Structure]:
        """Yield the pool once for each potential, in a group of its name."""
        for name, labels in zip(self.potentials, self.pool_labels, strict=True):
            if name in potentials:
                yield from (replace(s, group=name, stress=self._stress(s)) for s in labels if s is not None)

    def _stress(self, structure: Structure) -> np.ndarray | None:
        return structure.stress if self.material.has_stress else None

    def _choice(self, architecture: str, potentials: Sequence[str] | None, part: slice) -> Choice:
        """Return the choice with the positions of the potentials among all of them."""
        among = list(potentials or self.potentials)
        found = choice_of(probabilities(self._classifier(architecture, among))[part])
        places = np.array([*(self.potentials.index(name) for name in among), len(self.potentials)])
        return replace(found, potential=places[found.potential])

    def _classifier(self, architecture: str, potentials: list[str]) -> Task:
        split = self.division.split
        positions = [self.potentials.index(name) for name in potentials]
        found = classes(self.division.distances.by(positions), self.config.classifier)
        file = CLASSIFIER if potentials == self.potentials else f"{CLASSIFIER}-{_key(potentials)}"
        return Task(
            self.config.architectures[architecture].potential,
            self.config.classifier,
            (self.data / "train", found[split.train].tolist()),
            (self.data / "validation", found[split.validation].tolist()),
            (self.data / "test", self.data / "pool"),
            self.material.elements.symbols,
            len(potentials) + 1,
            self.seed,
            self.config.device,
            self.folder / architecture / f"{file}.json",
        )

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
            choice, confidence = self.choice(architecture, settings.potentials), list(settings.confidence)
        return injected(choice, self.pool_labels, confidence, stress=self.material.has_stress)


def _key(potentials: Sequence[str] | None) -> str:
    """Return how files of these potentials are called; a name that would be too long for a file system ends in a digest."""
    name = "all" if potentials is None else "-".join(potentials)
    return name if len(name) <= MOST_LETTERS else f"{name[:MOST_LETTERS]}-{sha256(name.encode()).hexdigest()[:8]}"


def _write(structures: Sequence[Structure], path: Path) -> None:
    """Write a stored data set where it does not hold these very structures."""
    if is_store(path) and fingerprint(Store(path), labels=STANDARD) == fingerprint(structures, labels=STANDARD):
        return
    write_store(structures, path, overwrite=True)
