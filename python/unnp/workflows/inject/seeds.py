"""What a seed draws: splits, aligned labels, and the folders of what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np

from unnp.atoms.quantities import QUANTITIES, STANDARD
from unnp.atoms.structure import Structure
from unnp.data.fingerprint import fingerprint
from unnp.data.reference_energies import reference_energies
from unnp.data.store import Store, is_store
from unnp.data.store_writer import write_store
from unnp.workflows.inject.config import InjectConfig
from unnp.workflows.inject.labels import Computed
from unnp.workflows.inject.material import Division, Material, divide
from unnp.workflows.inject.trainings import Labelled

MOST_LETTERS = 100
"""Of the potentials in the name of a file."""


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
        self.asked: dict[tuple[str, ...], np.ndarray] = {}
        """Probabilities of classifiers that were asked, by architecture and the potentials to choose among."""

    @property
    def data(self) -> Path:
        """Folder of the stored structures."""
        return self.folder / "data"

    def write_data(self) -> None:
        """Write the stored structures that trainings and classifiers read."""
        split = self.division.split
        for name in ("train", "validation", "test"):
            write_stored(self.material.at(getattr(split, name)), self.data / name)
        hidden = dict.fromkeys(QUANTITIES)
        write_stored([s.with_labels(hidden) for s in self.material.at(self.material.pool)], self.data / "pool")

    @cached_property
    def labelled(self) -> Labelled:
        """What is learnt of the stored structures.

        Energies count from their least squares over the training structures alone: labels far off may not move them.
        """
        positions = self.division.split.train
        zeros = reference_energies(self.material.at(positions), self.material.elements, "least-squares")
        return Labelled(self.data, len(positions), zeros)

    @cached_property
    def pool_labels(self) -> list[Computed]:
        """The aligned labels of the pool by each potential."""
        pool = self.material.pool
        return [each.labels[pool.start :] for each in self.division.aligned.values()]


def name_of(potentials: Sequence[str] | None) -> str:
    """Return how files of these potentials are called; a name that would be too long for a file system ends in a digest."""
    name = "all" if potentials is None else "-".join(potentials)
    return name if len(name) <= MOST_LETTERS else f"{name[:MOST_LETTERS]}-{sha256(name.encode()).hexdigest()[:8]}"


def write_stored(structures: Sequence[Structure], path: Path) -> None:
    """Write a stored data set where it does not hold these very structures."""
    if is_store(path) and fingerprint(Store(path), labels=STANDARD) == fingerprint(structures, labels=STANDARD):
        return
    write_store(structures, path, overwrite=True)
