"""Errors on all that was proposed from files, learnt or not: what the distillation of a set is measured by."""

from __future__ import annotations

from collections.abc import Sequence

from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.errors import ConfigError
from unnp.workflows.learn.judges.base import Judge, Numbers, register
from unnp.workflows.learn.situation import Situation
from unnp.workflows.learn.spreading import errors_at


class WholePoolConfig(Config):
    """The whole pool, with the labels that are hidden from the selection."""


@register("pool")
class Pool(Judge):
    """Errors on the whole pool."""

    Config = WholePoolConfig

    def check(self, pool: Sequence[Structure]) -> None:
        if all(pool[k].energy is None for k in range(len(pool))):
            raise ConfigError("judge: the kind pool needs a proposer of the kind pool whose structures have labels.")

    def judge(self, at: Situation) -> Numbers:
        return errors_at(at, at.pool)
