"""What the model of a round says of many structures, in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from torch import Tensor

from unnp.atoms.elements import symbols_of
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.data.dataset import Dataset
from unnp.evaluate.evaluation import Limits, batches, compared, labelled
from unnp.evaluate.metrics import Metrics
from unnp.exported.loader import LoadedPotential

T = TypeVar("T")
Moments = dict[str, tuple[int, float, float]]
"""Number of labels, mean absolute and mean square error, by quantity."""


def of_structures(
    potential: LoadedPotential,
    structures: Sequence[Structure],
    compute: Callable[[Graph], Tensor],
    reduce: Callable[[np.ndarray], T],
) -> list[T]:
    """Return what is left of the numbers of the atoms of each structure.

    Args:
        potential: decides on elements, length of bonds and device.
        structures: labels are not looked at.
        compute: returns (n_atoms, ...) of a graph on the device.
        reduce: makes of those of one structure what is returned.

    Raises:
        ModelError: a structure has an element that the model does not know.
    """
    dataset = Dataset(structures, potential.elements, potential.cutoff, cache_bytes=0)
    found: list[T] = []
    for indices, batch in batches(dataset, potential.manifest.cost, Limits()):
        rows = compute(batch.graph.to(potential.device, potential.dtype)).cpu().numpy()
        ends = np.cumsum([len(structures[k]) for k in indices])
        found += [reduce(part) for part in np.split(rows, ends[:-1])]
    return found


def unknown_elements(potential: LoadedPotential, structure: Structure) -> list[str]:
    """Return the elements of a structure that a model does not know."""
    return [symbol for symbol in symbols_of(structure.numbers) if symbol not in potential.elements.symbols]


def errors_on(potential: LoadedPotential, structures: Sequence[Structure]) -> dict[str, float]:
    """Return the errors on labelled structures, ``energy_mae``, ``energy_rmse`` ..., in the units of the error tables.

    Raises:
        ModelError: a structure has an element that the model does not know, or a prediction is not finite.
    """
    return combined(moments_of(potential, structures))


def moments_of(potential: LoadedPotential, structures: Sequence[Structure]) -> list[Moments]:
    """Return number, mean absolute and mean square error of each quantity on labelled structures; errors as ``errors_on``."""
    dataset = labelled(potential, structures)
    metrics = Metrics(dataset.groups, potential.elements.symbols, potential.device)
    for _, batch, prediction in compared(potential, dataset, Limits(), potential.stress_offset):
        metrics.update(prediction, batch)
    overall = metrics.result()["overall"]
    return [{name: (own["n"], own["mae"], own["rmse"] ** 2) for name, own in overall.items()}]


def combined(parts: Sequence[Moments]) -> dict[str, float]:
    """Return the errors on all parts of a set from those on each."""
    errors: dict[str, float] = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        n, mae, mse = np.array([part[name] for part in parts if name in part]).T
        errors[f"{name}_mae"] = float(np.average(mae, weights=n))
        errors[f"{name}_rmse"] = float(np.sqrt(np.average(mse, weights=n)))
    return errors


def descriptors(potential: LoadedPotential, structures: Sequence[Structure]) -> np.ndarray:
    """Return mean and standard deviation of the features over the atoms of each structure, (n_structures, 2 n_features)."""

    def summary(features: np.ndarray) -> np.ndarray:
        return np.concatenate([features.mean(axis=0), features.std(axis=0)]).astype(np.float32)

    return np.stack(of_structures(potential, structures, potential.features, summary))


def energies_per_atom(potential: LoadedPotential, structures: Sequence[Structure]) -> list[float]:
    """Return the predicted energy of each structure [eV/atom]; errors as ``of_structures``."""

    def atomic(graph: Graph) -> Tensor:
        return potential.predict(graph, derivatives=False).atomic_energy

    return of_structures(potential, structures, atomic, lambda energies: float(energies.mean()))
