"""Energies of a potential, counted from the zeros of labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from unnp.data.dataset import Batch, Dataset
from unnp.data.zeros import composition, fitted_zeros
from unnp.derivatives import Prediction
from unnp.errors import DataError

Compared = tuple[list[int], Batch, Prediction]
"""Positions of the structures of a batch, the batch with their labels, and what is predicted for it."""


@dataclass(frozen=True)
class Alignment:
    """What was added to the energies of a potential.

    Attributes:
        energies: [eV] by element.
        n: energies that they were fitted to.
        rank: independent compositions among these: so many constants were free.
    """

    energies: dict[str, float]
    n: int
    rank: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as ``errors.json`` has it."""
        return asdict(self)


def aligned(found: Iterable[Compared], dataset: Dataset) -> tuple[list[Compared], Alignment]:
    """Return predictions whose energies count from the zeros of the labels, by ``data.zeros.fitted_zeros`` of all labels.

    Args:
        found: indices, batch and prediction of all structures; bonds are not kept.
        dataset: the structures.

    Raises:
        DataError: no structure has an energy.
    """
    kept = [(indices, _without_bonds(batch), prediction) for indices, batch, prediction in found]
    counts = [composition([dataset.structures[k] for k in indices], dataset.elements) for indices, _, _ in kept]
    left = np.concatenate([(b.labels["energy"] - p.energy).cpu().numpy() for _, b, p in kept] or [np.zeros(0)])
    used = np.isfinite(left)
    if not used.any():
        raise DataError("energies are to be aligned, and no structure has one; leave out --align.")
    of_all = np.concatenate(counts)[used]
    shift = fitted_zeros(of_all, left[used])
    moved = [
        (indices, batch, _moved(prediction, batch, torch.from_numpy(shift))) for indices, batch, prediction in kept
    ]
    energies = {symbol: float(shift[k]) for k, symbol in enumerate(dataset.elements.symbols) if of_all[:, k].any()}
    return moved, Alignment(energies, int(used.sum()), int(np.linalg.matrix_rank(of_all)))


def _moved(prediction: Prediction, batch: Batch, shift: torch.Tensor) -> Prediction:
    of_atoms = shift.to(prediction.energy.device)[batch.graph.species]
    of_structures = torch.zeros_like(prediction.energy).index_add(0, batch.graph.atom_graph, of_atoms)
    energy, atomic_energy = prediction.energy + of_structures, prediction.atomic_energy + of_atoms
    return replace(prediction, energy=energy, atomic_energy=atomic_energy)


def _without_bonds(batch: Batch) -> Batch:
    """Return a batch for comparisons alone: bonds are most of its memory."""
    graph = batch.graph
    return replace(batch, graph=replace(graph, bond_index=graph.bond_index[:, :0], bond_vector=graph.bond_vector[:0]))
