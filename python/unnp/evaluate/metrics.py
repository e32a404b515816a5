"""Errors of predictions in float64: overall, by group and by element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unnp.atoms.quantities import QUANTITIES, Quantity
from unnp.data.dataset import Batch
from unnp.derivatives import Prediction


class Metrics:
    """Running mean absolute and root mean square errors.

    Energies count per structure [meV/atom], forces per component [eV/A], stresses per component [GPa], others in the units
    of ``unnp.atoms.quantities``. By element: quantities of atoms on its atoms; those of structures in the structures that
    contain it. Absent labels (NaN) take no part.

    Args:
        groups: names that the group indices of the labels refer to.
        elements: names that species refer to.
        device: where the sums are kept.
    """

    def __init__(self, groups: Sequence[str], elements: Sequence[str], device: torch.device | str = "cpu") -> None:
        self.groups = list(groups)
        self.elements = list(elements)
        rows = 1 + len(self.groups) + len(self.elements)
        self.sums = torch.zeros(len(QUANTITIES), rows, 3, dtype=torch.float64, device=device)
        """(quantities, overall + groups + elements, 3): sums of |error|, of error^2, and counts; to be added up."""

    def update(self, prediction: Prediction, batch: Batch) -> None:
        """Add a batch; what the prediction does not hold (None) is left out."""
        graph = batch.graph
        contains = torch.zeros(graph.n_graphs, len(self.elements), dtype=torch.float64, device=graph.species.device)
        contains[graph.atom_graph, graph.species] = 1.0
        own = torch.nn.functional.one_hot(graph.species, len(self.elements)).double()
        for k, quantity, moments in _errors(prediction, batch):
            by_group = torch.nn.functional.one_hot(batch.group_of(quantity), len(self.groups)).double()
            by_element = own if quantity.per_atom else contains
            membership = torch.cat([torch.ones_like(by_group[:, :1]), by_group, by_element], dim=1)
            self.sums[k] += membership.T @ moments

    def result(self) -> dict[str, Any]:
        """Return ``{"overall": {quantity: {"mae", "rmse", "n"}}, "groups": {name: ...}, "elements": {symbol: ...}}``.

        Quantities without a single label are absent.
        """
        table = self.sums.cpu()
        rows = [_row(table[:, r]) for r in range(table.shape[1])]
        n_groups = len(self.groups)
        return {
            "overall": rows[0],
            "groups": dict(zip(self.groups, rows[1 : 1 + n_groups], strict=True)),
            "elements": dict(zip(self.elements, rows[1 + n_groups :], strict=True)),
        }


def _errors(prediction: Prediction, batch: Batch) -> Iterator[tuple[int, Quantity, Tensor]]:
    """Yield sum of |error|, of error^2 and count of each structure or atom, in the units of the table.

    What decides is whether the label is there: a prediction that is NaN must show up as NaN.
    """
    for k, (name, quantity) in enumerate(QUANTITIES.items()):
        predicted = prediction.get(quantity)
        if predicted is None or name not in batch.labels.values:
            continue
        present = batch.mask(quantity)
        error = torch.where(present, predicted.detach().double() - batch.labels[name], 0.0)
        yield k, quantity, _moments(batch.in_error(quantity, error * quantity.errors_in[1]), present)


def _moments(error: Tensor, present: Tensor) -> Tensor:
    error, present = error.reshape(error.shape[0], -1), present.reshape(error.shape[0], -1)
    return torch.stack([error.abs().sum(1), error.square().sum(1), present.double().sum(1)], dim=1)


def _row(sums: Tensor) -> dict[str, dict[str, float]]:
    row = {}
    for name, (absolute, square, n) in zip(QUANTITIES, sums.tolist(), strict=True):
        if n > 0:
            row[name] = {"mae": absolute / n, "rmse": (square / n) ** 0.5, "n": int(n)}
    return row


class Pairs:
    """Reference and predicted values of labelled quantities, for parity plots, in the units of ``unnp.atoms.quantities``."""

    def __init__(self, groups: Sequence[str]) -> None:
        self.groups = list(groups)
        self._parts: dict[str, list[Tensor]] = {name: [] for name in QUANTITIES}

    def update(self, prediction: Prediction, batch: Batch) -> None:
        """Add a batch; signature as of ``Metrics.update``."""
        for name, quantity in QUANTITIES.items():
            predicted = prediction.get(quantity)
            if predicted is None or name not in batch.labels.values:
                continue
            both = (batch.labels[name], predicted.detach().double())
            values = torch.stack([batch.in_error(quantity, value) for value in both]) * quantity.shown[1]
            group, mask = batch.group_of(quantity), batch.mask(quantity)
            group = group.view(-1, *([1] * (mask.dim() - 1))).expand_as(mask)
            self._parts[name].append(torch.cat([values[:, mask], group[mask].double().unsqueeze(0)]).cpu())

    def result(self, quantity: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """Return reference values, predicted values (n,) and the group of each; n is 0 where there are no labels."""
        parts = self._parts[quantity]
        table = torch.cat(parts, dim=1).numpy() if parts else np.zeros((3, 0))
        return table[0], table[1], [self.groups[int(k)] for k in table[2]]
