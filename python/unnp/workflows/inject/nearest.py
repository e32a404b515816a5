"""Which empirical potential is the nearest to the labels of structures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unnp.atoms.structure import Structure
from unnp.workflows.inject.config import ClassifierConfig
from unnp.workflows.inject.labels import Computed


@dataclass(frozen=True)
class Distances:
    """How far potentials are from labels; infinite where one of both is missing.

    Attributes:
        energy: |error| of the energies, (n_structures, n_potentials) [eV/atom].
        forces: mean |error| of the force components, the same [eV/A].
    """

    energy: np.ndarray
    forces: np.ndarray

    def at(self, rows: Sequence[int]) -> Distances:
        """Return those of some of the structures."""
        return Distances(self.energy[list(rows)], self.forces[list(rows)])

    def by(self, potentials: Sequence[int]) -> Distances:
        """Return those of some of the potentials."""
        return Distances(self.energy[:, list(potentials)], self.forces[:, list(potentials)])


def distances(structures: Sequence[Structure], labels: Sequence[Computed]) -> Distances:
    """Return how far the aligned labels of each potential are from those of the structures."""
    shape = (len(structures), len(labels))
    found = Distances(np.full(shape, np.inf), np.full(shape, np.inf))
    for p, own in enumerate(labels):
        for k, (structure, other) in enumerate(zip(structures, own, strict=True)):
            if other is None:
                continue
            if structure.energy is not None and other.energy is not None:
                found.energy[k, p] = abs(structure.energy - other.energy) / len(structure)
            if structure.forces is not None and other.forces is not None:
                found.forces[k, p] = np.nanmean(np.abs(structure.forces - other.forces))
    return found


def classes(found: Distances, config: ClassifierConfig) -> np.ndarray:
    """Return the position of the nearest potential of each structure, and their number where none is near, (n_structures,)."""
    n_potentials = found.energy.shape[1]
    far = np.zeros(len(found.energy), dtype=bool)
    if config.nearest == "energy":
        score = found.energy
    elif config.nearest == "forces":
        score = found.forces
    else:
        score = _in_medians(found.energy) + _in_medians(found.forces)
    nearest = score.argmin(axis=1)
    rows = np.arange(len(nearest))
    if config.nearest != "forces":
        far |= found.energy[rows, nearest] > config.tau
    if config.nearest != "energy":
        far |= found.forces[rows, nearest] > config.tau_forces
    return np.where(far, n_potentials, nearest)


def _in_medians(errors: np.ndarray) -> np.ndarray:
    present = errors[np.isfinite(errors)]
    return errors / max(float(np.median(present)) if len(present) else 1.0, 1e-12)
