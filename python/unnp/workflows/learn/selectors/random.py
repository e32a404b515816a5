"""Structures drawn at random: what every other selector has to be better than."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import PositiveInt

from unnp.atoms.structure import Structure
from unnp.workflows.learn.selectors.base import Choice, Selector, SelectorConfig, register
from unnp.workflows.learn.situation import Situation


class RandomConfig(SelectorConfig):
    """Structures drawn at random, each as likely as any other."""

    most: PositiveInt
    """Structures that are chosen in a round."""


@register("random")
class Random(Selector):
    """Draws structures without looking at them."""

    Config = RandomConfig

    def select(self, frames: Sequence[Structure], at: Situation) -> list[Choice]:
        drawn = at.random("select").permutation(len(frames))[: self.config.most]
        return [Choice(int(k), 0.0, "drawn at random") for k in drawn]
