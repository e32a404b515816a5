"""Terms that compare predictions with labels: one for each quantity that structures can be labelled with."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field, FiniteFloat, NonNegativeFloat, model_validator
from torch import Tensor

from unnp.atoms.quantities import QUANTITIES, Quantity
from unnp.data.dataset import Batch
from unnp.derivatives import Prediction
from unnp.train.terms.base import OptionalTermConfig, Term, TermConfig, register
from unnp.train.terms.robust import robust_error


class LabelTerm(Term):
    """``l(x - y)`` of a quantity, per atom where it grows with their number, times the weight of the atom where it has one.

    A label that is absent (NaN) or, on a single atom, of weight 0, or a stress without a volume, takes no part. Labels of
    groups that may be far off count by Tukey's biweight in the place of ``l``.
    """

    quantity: ClassVar[Quantity]

    def count(self, batch: Batch) -> Tensor:
        if self.name not in batch.labels.values:
            return batch.graph.volume.new_zeros(())
        return batch.mask(self.quantity).sum().double()

    def errors(self, prediction: Prediction, batch: Batch) -> Tensor:
        mask = batch.mask(self.quantity)
        predicted = prediction.get(self.quantity)
        assert predicted is not None, self.name
        # Masked before arithmetic: a NaN times zero is a NaN, in the value and in the gradient.
        zero = torch.zeros((), dtype=torch.float64, device=mask.device)
        residual = torch.where(mask, predicted.double(), zero) - torch.where(mask, batch.labels[self.name], zero)
        residual = batch.in_error(self.quantity, residual)
        error = self.config.error(residual)
        if self.robust is not None:
            doubtful = self.robust.to(mask.device)[self.group(batch)]
            error = robust_error(residual, error, mask & doubtful.view(-1, *([1] * (mask.dim() - 1))))
        weight = batch.labels.weight(self.quantity)
        return error if weight is None else error * weight

    def group(self, batch: Batch) -> Tensor:
        return batch.group_of(self.quantity)


class EnergyTermConfig(TermConfig):
    """The row of the energy, late by default: forces teach the shape, from which energies are learnt almost for free."""

    weight: NonNegativeFloat = 0.5
    """Weight of the term; 0 leaves it out. Given without `schedule`, it is constant."""
    schedule: list[tuple[FiniteFloat, NonNegativeFloat]] = Field(default=[(0.4, 1.0), (0.9, 200.0)])
    """Course of the weight, [[fraction of the training, weight], ...]. It begins with `weight` at 0, changes by equal factors
    in equal times between the points, and stays after the last."""

    @model_validator(mode="before")
    @classmethod
    def _a_weight_alone_is_constant(cls, given: object) -> object:
        if isinstance(given, dict) and "weight" in given and "schedule" not in given:
            return given | {"schedule": []}
        return given


class StressTermConfig(OptionalTermConfig):
    """The row of the stress."""

    offset: Literal["fit"] | FiniteFloat | dict[str, FiniteFloat] = 0.0
    """Constant tension [GPa] of the stress labels beside dE/dstrain (Pulay stress), which is taken off: a number, one for
    each group, or `fit`."""


def _config(name: str) -> type[TermConfig]:
    rows: dict[str, type[TermConfig]] = {"energy": EnergyTermConfig, "forces": TermConfig, "stress": StressTermConfig}
    return rows.get(name, OptionalTermConfig)


for _quantity in QUANTITIES.values():
    register(_quantity.name)(
        type(
            f"{_quantity.name.title()}Term",
            (LabelTerm,),
            {
                "__doc__": f"Error of the {_quantity.words} [{_quantity.unit}].",
                "__module__": __name__,
                "quantity": _quantity,
                "needs": _quantity.origin,
                "Config": _config(_quantity.name),
            },
        )
    )
