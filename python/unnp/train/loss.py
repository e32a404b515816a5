"""The loss table: how far a prediction is from the labels, in one number to be differentiated."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field, FiniteFloat, NonNegativeFloat, PositiveFloat, model_validator
from torch import Tensor

from unnp.atoms.quantities import QUANTITIES, Quantity
from unnp.config import Config
from unnp.data.dataset import Batch
from unnp.derivatives import Prediction
from unnp.errors import ConfigError, unknown

TERMS = tuple(QUANTITIES)


class TermConfig(Config):
    """One row of the loss table."""

    weight: NonNegativeFloat = 1.0
    """Weight of the term; 0 leaves it out."""
    kind: Literal["mse", "mae", "huber"] = "mse"
    """Mean squared, mean absolute or Huber error of the residual."""
    delta: PositiveFloat | None = None
    """Huber only: residual at which the square turns into a line (eV/atom, eV/A or eV/A^3)."""
    schedule: list[tuple[FiniteFloat, NonNegativeFloat]] = Field(default_factory=list)
    """Course of the weight, [[fraction of the training, weight], ...]. It begins with `weight` at 0, changes by equal factors
    in equal times between the points, and stays after the last."""

    @model_validator(mode="after")
    def _consistent(self) -> TermConfig:
        if (self.delta is None) == (self.kind == "huber"):
            raise ValueError("`delta` belongs to kind huber, and huber needs it")
        fractions = [fraction for fraction, _ in self.schedule]
        if fractions != sorted(set(fractions)) or any(not 0 < f <= 1 for f in fractions):
            raise ValueError("`schedule` needs rising fractions above 0, up to 1, such as [[0.5, 1.0], [0.8, 10.0]]")
        return self

    def weight_at(self, progress: float) -> float:
        """Return the weight at a fraction of the training, 0..1.

        Between two points ``w = w_0 (w_1 / w_0)^x`` with the fraction x of the way, or ``w_0 + (w_1 - w_0) x`` where one
        is 0. A step would leave Adam with the moments of another loss, and the errors rise by factors of 10 to 100.
        """
        points = [(0.0, self.weight), *self.schedule]
        for (begin, first), (end, second) in pairwise(points):
            if progress < end:
                x = (progress - begin) / (end - begin)
                return first * (second / first) ** x if min(first, second) > 0 else first + (second - first) * x
        return points[-1][1]

    @property
    def used(self) -> bool:
        """Whether the term counts at any time."""
        return self.weight > 0 or any(w > 0 for _, w in self.schedule)


class StressTermConfig(TermConfig):
    """The row of the stress."""

    weight: NonNegativeFloat = 0.0
    """Weight of the term; 0 leaves it out."""
    offset: Literal["fit"] | FiniteFloat | dict[str, FiniteFloat] = 0.0
    """Constant tension [GPa] of the stress labels beside dE/dstrain (Pulay stress), which is taken off: a number, one for
    each group, or `fit`."""


class LossConfig(Config):
    """The loss table; residuals in eV/atom, eV/A and eV/A^3."""

    energy: TermConfig = TermConfig(weight=1.0)
    """Energy per atom [eV/atom]."""
    forces: TermConfig = TermConfig(weight=1.0)
    """Force components [eV/A]."""
    stress: StressTermConfig = StressTermConfig()
    """Stress components [eV/A^3]; counts where the structure has the label and is periodic in all directions."""
    group_weights: dict[str, NonNegativeFloat] = Field(default_factory=dict)
    """Factor on all terms of the structures of a group; 1 for groups not named."""

    def with_offset(self, offset: dict[str, float]) -> LossConfig:
        """Return the table with the offsets [GPa] of the stress labels that a training has found."""
        return self.model_copy(update={"stress": self.stress.model_copy(update={"offset": offset})})

    def terms(self) -> dict[str, TermConfig]:
        """Return the rows by name."""
        return {name: getattr(self, name) for name in TERMS}


class Loss:
    """``L = sum_t w_t / N_t * sum_{k in t} g_k l_t(x_k - y_k)`` with N_t the number of labels of term t in the batch.

    ``l`` is ``r^2`` (mse), ``|r|`` (mae), or ``r^2/2`` below and ``delta (|r| - delta/2)`` above delta (huber); ``g_k``
    is the weight of the structure's group, for forces times that of the atom. A label that is absent (NaN) or, on a single
    atom, of weight 0, or a stress without a volume, takes no part.

    Args:
        config: the table.
        groups: names that the group indices of the labels refer to.

    Raises:
        ConfigError: a weight is given for a group that is none.
    """

    def __init__(self, config: LossConfig, groups: Sequence[str]) -> None:
        for name in config.group_weights:
            if name not in groups:
                raise ConfigError("loss.group_weights: " + unknown("group", name, groups))
        self.config = config
        weights = [config.group_weights.get(name, 1.0) for name in groups]
        self._group_weights = torch.tensor(weights, dtype=torch.float64)
        self._uniform = all(w == 1.0 for w in weights)

    @property
    def needs_derivatives(self) -> bool:
        """Whether forces or stress count at any time."""
        return self.config.forces.used or self.config.stress.used

    def weights(self, progress: float) -> dict[str, float]:
        """Return the weight of each term at a fraction of the training."""
        return {name: term.weight_at(progress) for name, term in self.config.terms().items()}

    def counts(self, batch: Batch) -> Tensor:
        """Return the number of labels (3,) float64 of energy, forces and stress, to divide the sums by."""
        return torch.stack([batch.mask(quantity).sum() for quantity in QUANTITIES.values()]).double()

    def sums(self, prediction: Prediction, batch: Batch) -> Tensor:
        """Return ``sum_k g_k l_t(x_k - y_k)``, (3,) float64, of energy, forces and stress; 0 for unused terms."""
        return torch.stack([self._sum(quantity, prediction, batch) for quantity in QUANTITIES.values()])

    def _sum(self, quantity: Quantity, prediction: Prediction, batch: Batch) -> Tensor:
        name = quantity.name
        term: TermConfig = getattr(self.config, name)
        if not term.used:
            return batch.labels.energy.new_zeros(())
        mask = batch.mask(quantity)
        # Masked before arithmetic: a NaN times zero is a NaN, in the value and in the gradient.
        zero = torch.zeros((), dtype=torch.float64, device=mask.device)
        label = torch.where(mask, getattr(batch.labels, name), zero)
        residual = torch.where(mask, getattr(prediction, name).double(), zero) - label
        error = _error(batch.in_error(quantity, residual), term)
        weight = batch.labels.weight(quantity)
        if weight is not None:
            error = error * weight
        return error.sum() if self._uniform else (error * self._weight_of(quantity, error, batch)).sum()

    def _weight_of(self, quantity: Quantity, error: Tensor, batch: Batch) -> Tensor:
        """Return the group weight of each entry of ``error``, broadcastable to it."""
        self._group_weights = self._group_weights.to(error.device)
        weight = self._group_weights[batch.group_of(quantity)]
        return weight.view(-1, *([1] * (error.dim() - 1)))


def _error(residual: Tensor, term: TermConfig) -> Tensor:
    if term.kind == "mse":
        return residual.square()
    if term.kind == "mae":
        return residual.abs()
    assert term.delta is not None
    return torch.nn.functional.huber_loss(residual, torch.zeros_like(residual), reduction="none", delta=term.delta)
