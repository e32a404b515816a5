"""The contract of a term of the loss, the settings that all terms have, and the registry that finds them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import Field, FiniteFloat, NonNegativeFloat, PositiveFloat, model_validator
from torch import Tensor, nn, zeros_like

from unnp.atoms.quantities import QUANTITIES
from unnp.config import Config
from unnp.data.dataset import Batch
from unnp.derivatives import Prediction
from unnp.plugins.registry import Registry

Need = Literal["energy", "derivative", "head", "curvature"]
"""What of a prediction a term looks at: energies; forces or stress; other outputs; the derivative of forces."""


class TermConfig(Config):
    """One row of the loss table."""

    weight: NonNegativeFloat = 1.0
    """Weight of the term; 0 leaves it out."""
    kind: Literal["mse", "mae", "huber"] = "mse"
    """Mean squared, mean absolute or Huber error of the residual."""
    delta: PositiveFloat | None = None
    """Huber only: residual at which the square turns into a line, in the unit of the residual."""
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

    def error(self, residual: Tensor) -> Tensor:
        """Return ``r^2`` (mse), ``|r|`` (mae), or ``r^2/2`` below and ``delta (|r| - delta/2)`` above delta (huber)."""
        if self.kind == "mse":
            return residual.square()
        if self.kind == "mae":
            return residual.abs()
        assert self.delta is not None
        return nn.functional.huber_loss(residual, zeros_like(residual), reduction="none", delta=self.delta)

    @property
    def used(self) -> bool:
        """Whether the term counts at any time."""
        return self.weight > 0 or any(w > 0 for _, w in self.schedule)


class OptionalTermConfig(TermConfig):
    """One row of the loss table that is left out unless it is given a weight."""

    weight: NonNegativeFloat = 0.0
    """Weight of the term; 0 leaves it out."""


class Term(ABC):
    """A term of the loss: errors of atoms or structures, whose mean is to become small; labels are not needed.

    A subclass lives in one file of ``unnp.train.terms``, or of a package that names it, by the name of the term, in the
    entry-point group ``unnp.loss_terms``, and is decorated with ``@register(name)``. The name is its key in the loss table.

    Args:
        config: its row of the table.
    """

    name: ClassVar[str]
    Config: ClassVar[type[TermConfig]] = OptionalTermConfig
    needs: ClassVar[Need]
    robust: Tensor | None = None
    """(n_groups,) bool, groups whose labels may be far off, see ``unnp.train.terms.robust``; None: none may."""

    def __init__(self, config: Any) -> None:
        self.config = config

    @abstractmethod
    def count(self, batch: Batch) -> Tensor:
        """Return the number that the sum of the errors is divided by, a scalar."""

    @abstractmethod
    def errors(self, prediction: Prediction, batch: Batch) -> Tensor:
        """Return the errors (n_atoms, ...) or (n_graphs, ...) float64, 0 where there is nothing to count."""

    @abstractmethod
    def group(self, batch: Batch) -> Tensor:
        """Return the group of each row of ``errors``, int64."""


T = TypeVar("T", bound=type[Term])
REGISTRY: Registry[type[Term]] = Registry("term of the loss", "unnp.train.terms", "unnp.loss_terms")


def register(name: str) -> Callable[[T], T]:
    """Make a term of the loss known: ``@register("stress")``."""

    def add(term: T) -> T:
        REGISTRY.add(name, term, term.__module__)
        term.name = name
        return term

    return add


def terms() -> dict[str, type[Term]]:
    """Return all terms by name that can be imported, those with labels first, in the order of ``unnp.atoms.quantities``."""
    known = REGISTRY.all()
    labelled = [name for name in QUANTITIES if name in known]
    return {name: known[name] for name in (*labelled, *sorted(known.keys() - QUANTITIES.keys()))}
