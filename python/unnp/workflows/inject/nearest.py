"""Which empirical potential is the nearest to the labels of structures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unnp.atoms.structure import Structure
from unnp.units import GPA_PER_EV_PER_A3
from unnp.workflows.inject.config import ClassifierConfig
from unnp.workflows.inject.labels import Computed

COMPARED = {
    "energy": ("energy",),
    "forces": ("forces",),
    "both": ("energy", "forces"),
    "all": ("energy", "forces", "stress"),
}
"""What ``classifier.nearest`` compares."""


@dataclass(frozen=True)
class Distances:
    """How far potentials are from labels; infinite where one of both is missing.

    Attributes:
        energy: |error| of the energies, (n_structures, n_potentials) [eV/atom].
        forces: mean |error| of the force components, the same [eV/A].
        stress: mean |error| of the components of the stress, the same [GPa].
    """

    energy: np.ndarray
    forces: np.ndarray
    stress: np.ndarray

    def at(self, rows: Sequence[int]) -> Distances:
        """Return those of some of the structures."""
        return Distances(self.energy[list(rows)], self.forces[list(rows)], self.stress[list(rows)])

    def by(self, potentials: Sequence[int]) -> Distances:
        """Return those of some of the potentials."""
        chosen = list(potentials)
        return Distances(self.energy[:, chosen], self.forces[:, chosen], self.stress[:, chosen])


def distances(structures: Sequence[Structure], labels: Sequence[Computed]) -> Distances:
    """Return how far the aligned labels of each potential are from those of the structures."""
    shape = (len(structures), len(labels))
    found = Distances(np.full(shape, np.inf), np.full(shape, np.inf), np.full(shape, np.inf))
    for p, own in enumerate(labels):
        for k, (structure, other) in enumerate(zip(structures, own, strict=True)):
            if other is None:
                continue
            if structure.energy is not None and other.energy is not None:
                found.energy[k, p] = abs(structure.energy - other.energy) / len(structure)
            if structure.forces is not None and other.forces is not None:
                found.forces[k, p] = np.nanmean(np.abs(structure.forces - other.forces))
            if structure.stress is not None and other.stress is not None:
                found.stress[k, p] = GPA_PER_EV_PER_A3 * np.nanmean(np.abs(structure.stress - other.stress))
    return found


def classes(found: Distances, config: ClassifierConfig) -> np.ndarray:
    """Return the position of the nearest potential of each structure, and their number where none is near, (n_structures,)."""
    compared = {name: getattr(found, name) for name in COMPARED[config.nearest]}
    scores = list(compared.values())
    score = scores[0] if len(scores) == 1 else sum(_in_medians(own) for own in scores)
    nearest = np.asarray(score).argmin(axis=1)
    rows = np.arange(len(nearest))
    limits = {"energy": config.tau, "forces": config.tau_forces, "stress": config.tau_stress}
    far = np.any([own[rows, nearest] > limits[name] for name, own in compared.items()], axis=0)
    return np.where(far, found.energy.shape[1], nearest)


def _in_medians(errors: np.ndarray) -> np.ndarray:
    present = errors[np.isfinite(errors)]
    return errors / max(float(np.median(present)) if len(present) else 1.0, 1e-12)
