"""From deviations to errors: factors that make a deviation the error that is to be expected.

The factor is the quantile of split conformal prediction at one standard deviation of a Gaussian. With the errors ``e_k`` and
deviations ``sigma_k`` of n labels, and ``p = erf(1 / sqrt 2) = 0.683``,

    s = the ceil((n + 1) p)-th smallest of |e_k| / sigma_k,

so that a new label of the same kind is within ``s sigma`` with a probability of at least p, whatever the distribution of
the errors (A. N. Angelopoulos, S. Bates, arXiv:2107.07511; for potentials Y. Hu et al., Mach. Learn.: Sci. Technol. 3,
045028 (2022), arXiv:2208.08337). The factor of the largest likelihood of Gaussian errors, ``s^2 = <e^2 / sigma^2>``, is
told beside it but not taken: with three members the energies have deviations of two degrees of freedom, for which the mean
of ``1 / sigma^2`` does not exist, so that one structure on which the members agree by chance would decide.

Energies count per atom. A force counts as three components with the deviation ``sigma_i / sqrt 3`` each, as ``sigma_i^2``
is the mean square that is expected of the length of its error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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

SHARE = math.erf(1 / math.sqrt(2))
"""Probability within one standard deviation of a Gaussian."""
LEAST = 10
"""Labels from which on a factor is found."""
UNITS = {"energy": "eV/atom", "forces": "eV/A"}
"""Quantities with a deviation, and their units."""

Estimator = Callable[[Graph], Uncertain]
"""What gives energies, forces and their deviations for a graph on the device of the potential."""
Estimated = tuple[list[int], Batch, Uncertain]
"""Positions of structures, their atoms and labels without bonds, and what was estimated for them, on the CPU."""


@dataclass(frozen=True)
class Errors:
    """Errors of labels and the deviations that were expected of them, (n,) each, in eV/atom or eV/A."""

    error: np.ndarray
    deviation: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """``|error| / deviation``: 0 where both are, infinite where the deviation alone is."""
        error = np.abs(self.error)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(error > 0, error / self.deviation, 0.0)

    def likeliest_scale(self) -> float:
        """Return the factor of the largest likelihood of Gaussian errors, ``sqrt(<(error / deviation)^2>)``."""
        return float(np.sqrt(np.mean(np.square(self.ratio))))

    def scaled(self, scale: float) -> Errors:
        """Return the same with the deviations times a factor."""
        return Errors(self.error, scale * self.deviation)


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


def errors_of(results: Sequence[Estimated]) -> dict[str, Errors]:
    """Return errors and deviations of the labels that are there, by ``energy`` and ``forces``."""
    parts: dict[str, list[tuple[Tensor, Tensor]]] = {"energy": [], "forces": []}
    for _, batch, found in results:
        n_atoms = batch.n_atoms
        rows = {
            "energy": (found.energy / n_atoms, batch.labels["energy"] / n_atoms, found.energy_deviation),
            "forces": (found.forces, batch.labels["forces"], found.force_deviation.view(-1, 1) / math.sqrt(3)),
        }
        for name, (predicted, label, deviation) in rows.items():
            mask = batch.mask(QUANTITIES[name]) & ~torch.isnan(deviation)
            parts[name].append(((predicted - label)[mask], deviation.expand_as(label)[mask]))
    joined = {name: [torch.cat(column).numpy() for column in zip(*own, strict=True)] for name, own in parts.items()}
    return {name: Errors(error, deviation) for name, (error, deviation) in joined.items() if len(error)}


def scales_of(errors: dict[str, Errors]) -> dict[str, float]:
    """Return the factor of each quantity with enough labels.

    Raises:
        DataError: no quantity has enough labels.
        ModelError: the deviations vanish, or the errors do: no factor makes one of the other.
    """
    enough = {name: own for name, own in errors.items() if len(own.error) >= LEAST}
    if not enough:
        raise DataError(f"a calibration needs at least {LEAST} labels of energies or of components of forces.")
    return {name: _scale(name, own.ratio) for name, own in enough.items()}


def _scale(name: str, ratio: np.ndarray) -> float:
    rank = math.ceil((len(ratio) + 1) * SHARE)
    scale = float(np.sort(ratio)[rank - 1])
    if not 0 < scale < math.inf:
        what = "deviations vanish: are all members the same?" if scale > 0 else "errors vanish: are the labels its own?"
        raise ModelError(f"{name} cannot be calibrated, as most of the {what}")
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
