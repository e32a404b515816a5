"""The loss table: how far a prediction is from what is wanted, in one number to be differentiated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from pydantic import Field, NonNegativeFloat, create_model
from torch import Tensor

from unnp.atoms.quantities import STANDARD
from unnp.config import Config
from unnp.data.dataset import Batch
from unnp.derivatives import Prediction
from unnp.errors import ConfigError, unknown
from unnp.train.terms.base import Need, Term, TermConfig, terms

_KINDS = terms()
TERMS = tuple(_KINDS)
"""Names of all terms, in the order of the table."""


class LossTable(Config):
    """The loss table: a row for each term, and what all terms have in common."""

    if TYPE_CHECKING:
        group_weights: dict[str, NonNegativeFloat] = {}
        robust_groups: list[str] = []

    def row(self, name: str) -> Any:
        """Return the settings of a term."""
        return getattr(self, name)

    def rows(self) -> dict[str, TermConfig]:
        """Return the settings of all terms by name."""
        return {name: self.row(name) for name in TERMS}

    def shown(self) -> list[str]:
        """Return the names of the terms that logs show: those of energy, forces and stress, and what else is used."""
        return [name for name, row in self.rows().items() if name in STANDARD or row.used]

    def used(self) -> list[str]:
        """Return the names of the terms that count at any time."""
        return [name for name, row in self.rows().items() if row.used]

    def with_offset(self, offset: dict[str, float]) -> LossTable:
        """Return the table with the offsets [GPa] of the stress labels that a training has found."""
        return self.model_copy(update={"stress": self.row("stress").model_copy(update={"offset": offset})})


def _row(kind: type[Term]) -> Any:
    return (kind.Config, Field(default=kind.Config(), description=kind.__doc__))


if TYPE_CHECKING:
    LossConfig = LossTable
else:
    LossConfig = create_model(
        "LossConfig",
        __base__=LossTable,
        __doc__="The loss table; residuals in eV/atom and in the units of the labels.",
        **{name: _row(kind) for name, kind in _KINDS.items()},
        group_weights=(
            dict[str, NonNegativeFloat],
            Field(
                default_factory=dict,
                description="Factor on all terms of the structures of a group; 1 for groups not named.",
            ),
        ),
        robust_groups=(
            list[str],
            Field(
                default_factory=list,
                description="Groups whose labels may be far off: their residuals count by Tukey's biweight, whose scale is the "
                "median absolute deviation in the batch, whatever the `kind` of a term.",
            ),
        ),
    )


class Loss:
    """``L = sum_t w_t / N_t * sum_{k in t} g_k l_t,k`` with N_t the number of labels of term t in the batch.

    ``l_t,k`` is what term t makes of atom or structure k, see ``unnp.train.terms``, and ``g_k`` the weight of its group.

    Args:
        config: the table.
        groups: names that the group indices of the labels refer to.

    Raises:
        ConfigError: a weight is given for a group that is none, or such a one is called robust.
    """

    def __init__(self, config: LossTable, groups: Sequence[str]) -> None:
        for key, named in (("group_weights", config.group_weights), ("robust_groups", config.robust_groups)):
            for name in named:
                if name not in groups:
                    raise ConfigError(f"loss.{key}: " + unknown("group", name, groups))
        self.config = config
        self.terms: list[Term] = [kind(config.row(name)) for name, kind in _KINDS.items()]
        if config.robust_groups:
            robust = torch.tensor([name in config.robust_groups for name in groups])
            for term in self.terms:
                term.robust = robust
        weights = [config.group_weights.get(name, 1.0) for name in groups]
        self._group_weights = torch.tensor(weights, dtype=torch.float64)
        # Without weights, a sum on a GPU needs no table of groups there.
        self._uniform = all(w == 1.0 for w in weights)

    def needs(self, *parts: Need) -> bool:
        """Whether a term that counts at any time looks at one of these parts of a prediction."""
        return any(term.needs in parts for term in self.terms if term.config.used)

    def weights(self, progress: float) -> dict[str, float]:
        """Return the weight of each term at a fraction of the training."""
        return {name: row.weight_at(progress) for name, row in self.config.rows().items()}

    def counts(self, batch: Batch) -> Tensor:
        """Return the number of labels of each term, (n_terms,) float64, to divide the sums by."""
        return torch.stack([term.count(batch) for term in self.terms]).double()

    def sums(self, prediction: Prediction, batch: Batch) -> Tensor:
        """Return ``sum_k g_k l_t,k`` of each term, (n_terms,) float64; 0 for unused terms."""
        return torch.stack([self._sum(term, prediction, batch) for term in self.terms])

    def _sum(self, term: Term, prediction: Prediction, batch: Batch) -> Tensor:
        if not term.config.used:
            return batch.graph.volume.new_zeros(())
        error = term.errors(prediction, batch)
        if self._uniform:
            return error.sum()
        self._group_weights = self._group_weights.to(error.device)
        weight = self._group_weights[term.group(batch)]
        return (error * weight.view(-1, *([1] * (error.dim() - 1)))).sum()
