"""From deviations to errors: factors that make a deviation the error that is to be expected.

The factor is that of the largest likelihood of Gaussian errors. With the errors ``e_k`` and deviations ``sigma_k`` of n labels,

    s^2 = 1/n sum_k e_k^2 / sigma_k^2

(F. Musil, M. J. Willatt, M. A. Langovoy, M. Ceriotti, J. Chem. Theory Comput. 15, 906 (2019), arXiv:1809.07653).

Energies count per atom. A force counts as three components with the deviation ``sigma_i / sqrt 3`` each, as ``sigma_i^2``
is the mean square that is expected of the length of its error. Labels for which the deviation says nothing take no part:
forces that vanish by symmetry, whose deviation is that of the rounding, and energies in which all members are the same, as
those of lone atoms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from unnp.atoms.graph import Graph
from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.data.dataset import Batch, Dataset
from unnp.data.progress import counting
from unnp.derivatives import Prediction
from unnp.errors import DataError, ModelError
from unnp.evaluate.evaluation import Limits, batches
from unnp.exported.deviation import Uncertain
from unnp.exported.finiteness import check_finite
from unnp.exported.loader import LoadedPotential
from unnp.exported.manifest import MAX_SCALE

VANISHING = 1e-3
"""Predicted force [eV/A] up to which it is taken for one that vanishes by symmetry: float32 makes up to 3e-4 of it."""
ROUNDING = 1e-9
"""Deviation [eV/atom, eV/A] up to which members are taken to agree exactly, but for the rounding of float64."""
MEMBERS_FOR_ENERGY = 4
"""Members from which on the energies of a committee are calibrated."""
LEAST = 10
"""Labels from which on a factor is found."""
UNITS = {"energy": "eV/atom", "forces": "eV/A"}
"""Quantities with a deviation, and their units."""

Estimator = Callable[[Graph], Uncertain]
"""What gives energies, forces and their deviations for a graph on the device of the potential."""
Estimated = tuple[list[int], Batch, Uncertain]
"""Positions of structures, their atoms and labels without bonds, and what was estimated for them, on the CPU."""


@dataclass(frozen=True)
class Residuals:
    """Errors of labels and the deviations that were expected of them, (n,) each, in eV/atom or eV/A."""

    error: np.ndarray
    deviation: np.ndarray

    def scale(self) -> float:
        """Return the factor of the largest likelihood of Gaussian errors, ``sqrt(<(error / deviation)^2>)``."""
        return float(np.sqrt(np.mean(np.square(self.error / self.deviation))))

    def scaled(self, scale: float) -> Residuals:
        """Return the same with the deviations times a factor."""
        return Residuals(self.error, scale * self.deviation)


def estimates(
    potential: LoadedPotential, structures: Sequence[Structure], estimate: Estimator, limits: Limits | None = None
) -> list[Estimated]:
    """Return indices, batch without its bonds and what was estimated for all structures, on the CPU.

    Args:
        potential: exported model.
        structures: with or without labels.
        estimate: the committee's or the last layer's deviations.
        limits: of a batch.

    Raises:
        ModelError: a structure has an element the model does not know, or a prediction is not finite.
    """
    dataset = Dataset(structures, potential.elements, potential.cutoff, cache_bytes=0)
    results = []
    with counting("evaluating", len(dataset)) as advance:
        for indices, batch in batches(dataset, potential.manifest.cost, limits or Limits()):
            found = estimate(batch.graph.to(potential.device, potential.dtype))
            _check(found, batch.graph, potential, [structures[k].source or f"structure {k}" for k in indices])
            on_cpu = [value.cpu() for value in vars(found).values()]
            results.append((indices, _without_bonds(batch), Uncertain(*on_cpu)))
            for _ in indices:
                advance()
    return results


def residuals_of(results: Sequence[Estimated]) -> dict[str, Residuals]:
    """Return errors and deviations of the labels that are there and that have a deviation, by ``energy`` and ``forces``."""
    parts: dict[str, list[tuple[Tensor, Tensor]]] = {"energy": [], "forces": []}
    for _, batch, found in results:
        n_atoms, moved = batch.n_atoms, found.forces.norm(dim=1, keepdim=True) > VANISHING
        rows = {
            "energy": (found.energy / n_atoms, batch.labels["energy"] / n_atoms, found.energy_deviation),
            "forces": (found.forces, batch.labels["forces"], found.force_deviation.view(-1, 1) / math.sqrt(3)),
        }
        counts = {"energy": torch.ones_like(n_atoms, dtype=torch.bool), "forces": moved}
        for name, (predicted, label, deviation) in rows.items():
            mask = batch.mask(QUANTITIES[name]) & counts[name] & (deviation > ROUNDING)  # not so where it is NaN
            parts[name].append(((predicted - label)[mask], deviation.expand_as(label)[mask]))
    joined = {
        name: [torch.cat(column).numpy() for column in zip(*own, strict=True)] for name, own in parts.items() if own
    }
    return {name: Residuals(error, deviation) for name, (error, deviation) in joined.items() if len(error)}


def scales_of(errors: Mapping[str, Residuals]) -> dict[str, float]:
    """Return the factor of each quantity with enough labels.

    Raises:
        DataError: no quantity has enough labels.
        ModelError: the errors vanish, or the deviations do: no factor makes one of the other.
    """
    enough = {name: own for name, own in errors.items() if len(own.error) >= LEAST}
    if not enough:
        raise DataError(
            f"a calibration needs at least {LEAST} labels of energies or of components of forces, for which the deviations "
            "do not vanish."
        )
    return {name: _scale(name, own) for name, own in enough.items()}


def committee_scales(errors: Mapping[str, Residuals], n_members: int) -> dict[str, float]:
    """Return the factors of a committee; for energies only where it has at least four members.

    ``1 / sigma^2`` of M members has a mean only where ``sigma`` is made of more than two free numbers, and an energy has
    M - 1 of them: with three members, a single structure on which they agree by chance would decide the factor. A force has
    3 (M - 1).

    Raises:
        DataError, ModelError: as ``scales_of``.
    """
    return scales_of({name: own for name, own in errors.items() if name != "energy" or n_members >= MEMBERS_FOR_ENERGY})


def _scale(name: str, errors: Residuals) -> float:
    scale = errors.scale()
    if not 0 < scale <= MAX_SCALE:
        what = "deviations vanish: are all members the same?" if scale > 0 else "errors vanish: are the labels its own?"
        raise ModelError(f"{name} cannot be calibrated, as the {what}")
    return scale


def _without_bonds(batch: Batch) -> Batch:
    """Return a batch without what takes most of the memory, so that the results of a long trajectory can be kept."""
    graph = batch.graph
    return Batch(
        replace(graph, bond_index=graph.bond_index[:, :0].clone(), bond_vector=graph.bond_vector[:0].clone()),
        batch.labels,
    )


def _check(found: Uncertain, graph: Graph, potential: LoadedPotential, sources: Sequence[str]) -> None:
    """Raise ModelError where energies or forces are not finite."""
    share = (found.energy / torch.bincount(graph.atom_graph, minlength=graph.n_graphs).to(found.energy.device)).cpu()
    prediction = Prediction(found.energy.cpu(), share[graph.atom_graph], found.forces.cpu())
    check_finite(prediction, graph, potential.elements, str(potential.path), sources)
