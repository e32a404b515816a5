"""Errors on the structures of a round before they are learnt: what the model was wrong about where it went itself."""

from __future__ import annotations

from typing import ClassVar, Literal

from unnp.config import Config
from unnp.workflows.learn.evaluation import unknown_elements
from unnp.workflows.learn.judges.base import Judge, Numbers, register
from unnp.workflows.learn.situation import Situation
from unnp.workflows.learn.spreading import errors_at


class NewConfig(Config):
    """The structures that were chosen, before they are learnt from; without those that have elements new to the model."""


@register("new")
class New(Judge):
    """Errors of the last model on the new structures."""

    Config = NewConfig
    moment: ClassVar[Literal["before", "after"]] = "before"

    def judge(self, at: Situation) -> Numbers:
        known = [structure for structure in at.new if not unknown_elements(at.potential, structure)]
        return errors_at(at, known) if known else {}
