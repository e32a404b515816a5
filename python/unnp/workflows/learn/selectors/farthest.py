"""Structures that are far from all that was learnt, and from each other, in the features of the model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import PositiveInt

from unnp.atoms.structure import Structure
from unnp.evaluate.feature_space import standardised
from unnp.workflows.learn.selectors.base import Choice, Selector, SelectorConfig, register
from unnp.workflows.learn.situation import Situation
from unnp.workflows.learn.spreading import descriptors_at


class FarthestConfig(SelectorConfig):
    """Structures that are far from all others in features."""

    most: PositiveInt
    """Structures that are chosen in a round."""


@register("farthest")
class Farthest(Selector):
    """Chooses one structure after the other: the one whose nearest, among those learnt and chosen, is farthest.

    A structure is where mean and standard deviation of its atoms' features are, each in units of its own spread.
    """

    Config = FarthestConfig

    def select(self, frames: Sequence[Structure], at: Situation) -> list[Choice]:
        new, old = (descriptors_at(at, structures) for structures in (frames, at.learnt))
        like = np.concatenate([new, old])
        chosen = farthest_points(standardised(new, like), standardised(old, like), self.config.most)
        return [Choice(k, distance, f"distance from all others {distance:.4g}") for k, distance in chosen]


def farthest_points(points: np.ndarray, known: np.ndarray, most: int) -> list[tuple[int, float]]:
    """Return indices and distances of the points that are farthest from those known, each known from then on.

    Args:
        points: (n, d) to choose from; one that is no distance away is not chosen.
        known: (m, d), at least one.
        most: how many are chosen at most.
    """
    nearest = np.full(len(points), np.inf)
    for point in known:
        np.minimum(nearest, np.linalg.norm(points - point, axis=1), out=nearest)
    chosen: list[tuple[int, float]] = []
    while len(chosen) < most and nearest.max(initial=0.0) > 0:
        k = int(nearest.argmax())
        chosen.append((k, float(nearest[k])))
        np.minimum(nearest, np.linalg.norm(points - points[k], axis=1), out=nearest)
    return chosen
