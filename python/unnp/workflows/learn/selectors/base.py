"""The contract of a selector and the registry that finds it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from pydantic import FiniteFloat, PositiveInt, model_validator

from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.config.kinds import registering
from unnp.plugins.registry import Registry
from unnp.workflows.learn.situation import Situation


@dataclass(frozen=True)
class Choice:
    """A structure that is to be learnt.

    Attributes:
        index: its position among those proposed.
        score: number that it was chosen by.
        reason: what the number is, for people.
    """

    index: int
    score: float
    reason: str


class SelectorConfig(Config):
    """What all selectors have in common."""

    most: PositiveInt | None = None
    """Structures that are chosen in a round, at most; null: no bound."""


class Selector(ABC):
    """Chooses structures by where they are, not by labels.

    A subclass lives in one file of ``unnp.workflows.learn.selectors``, or of a package that names it in the entry-point group
    ``unnp.selectors``, and is decorated with ``@register(kind)``.

    Args:
        config: the settings.
    """

    kind: ClassVar[str]
    Config: ClassVar[type[SelectorConfig]]
    """Its settings, of which the loop reads ``most``."""
    compares_members: ClassVar[bool] = False
    """Whether it needs a committee."""

    def __init_subclass__(cls) -> None:
        if not issubclass(getattr(cls, "Config", SelectorConfig), SelectorConfig):
            raise TypeError(f"{cls.__name__}.Config has to be a SelectorConfig, whose `most` the loop reads")

    def __init__(self, config: Any) -> None:
        self.config = config

    def check(self, pool: Sequence[Structure]) -> None:  # noqa: B027 most selectors need nothing of the pool
        """Raise ConfigError where nothing could be chosen from the structures of the pools, before anything is learnt."""

    @abstractmethod
    def select(self, frames: Sequence[Structure], at: Situation) -> list[Choice]:
        """Return the structures to learn, in the order of their importance.

        Args:
            frames: those proposed, without labels; none of them is learnt yet.
            at: the round, whose model is open.
        """


REGISTRY: Registry[type[Selector]] = Registry("selector", "unnp.workflows.learn.selectors", "unnp.selectors")
register = registering(REGISTRY)
"""Make a selector known: ``@register("random")``."""


class RankedConfig(SelectorConfig):
    """Structures by a score: the highest come first. Give `most`, `above` or both."""

    most: PositiveInt | None = None
    """Structures that are chosen in a round, at most; null: all whose score is above `above`."""
    above: FiniteFloat | None = None
    """Score that a structure has to be above; null: none has to, and the `most` highest are chosen."""

    @model_validator(mode="after")
    def _leaves_something_out(self) -> RankedConfig:
        if self.most is None and self.above is None:
            raise ValueError("give `most`, `above` or both; without them all that is proposed would be chosen")
        return self


class Ranked(Selector):
    """Chooses the structures with the highest scores. A subclass fills in ``scores`` and ``words``."""

    words: ClassVar[str]
    """What the score is, with its unit."""

    @abstractmethod
    def scores(self, frames: Sequence[Structure], at: Situation) -> np.ndarray:
        """Return the score (n_frames,) of each structure."""

    def select(self, frames: Sequence[Structure], at: Situation) -> list[Choice]:
        return ranked(self.scores(frames, at), self.words, self.config.most, self.config.above)


def ranked(scores: np.ndarray, words: str, most: int | None, above: float | None = None) -> list[Choice]:
    """Return the structures with the highest scores; of equal ones the first.

    Args:
        scores: (n_frames,).
        words: what they are.
        most: how many at most; None: all.
        above: smallest score that is not enough; None: any is.
    """
    order = np.argsort(-scores, kind="stable")
    chosen = [int(k) for k in order if above is None or scores[k] > above][:most]
    return [Choice(k, float(scores[k]), f"{words} {scores[k]:.4g}") for k in chosen]
