"""One structure for each cell of a grid in the features of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from unnp.atoms.structure import Structure
from unnp.evaluate.feature_space import principal_components, standardised
from unnp.workflows.learn.selectors.base import Choice, Selector, SelectorConfig, register
from unnp.workflows.learn.situation import Situation
from unnp.workflows.learn.spreading import descriptors_at


class GridConfig(SelectorConfig):
    """Structures spread over a grid in features."""

    dimensions: Annotated[int, Field(ge=1, le=4)] = 2
    """Principal components of the features that span the grid."""
    cells: Annotated[int, Field(ge=2, le=1000)] = 20
    """Cells along each of them, from the smallest to the largest of all structures."""


@register("grid")
class Grid(Selector):
    """Chooses a structure from each cell of a grid that holds none yet: the one nearest to the middle of the cell.

    The grid spans the first principal components of what `farthest` looks at: mean and standard deviation of the features of
    the atoms, each in units of its own spread. Cells with many structures come first.
    """

    Config = GridConfig

    def select(self, frames: Sequence[Structure], at: Situation) -> list[Choice]:
        new, old = (descriptors_at(at, structures) for structures in (frames, at.learnt))
        points = principal_components(standardised(both := np.concatenate([new, old]), both), self.config.dimensions)
        chosen = one_of_each_cell(points[: len(new)], points[len(new) :], self.config.cells)
        return [Choice(k, n, f"one of {n:g} in its cell") for k, n in chosen[: self.config.most]]


def one_of_each_cell(points: np.ndarray, known: np.ndarray, cells: int) -> list[tuple[int, float]]:
    """Return the index of a point of each cell that holds none of those known, and how many points the cell holds.

    Args:
        points: (n, d) to choose from.
        known: (m, d).
        cells: along each direction, between the smallest and the largest coordinate of all points.
    """
    both = np.concatenate([points, known])
    low, high = both.min(axis=0), both.max(axis=0)
    scaled = cells * (both - low) / np.where(high > low, high - low, 1.0)
    cell = np.minimum(scaled.astype(int), cells - 1)
    off_centre = np.linalg.norm(scaled - cell - 0.5, axis=1)
    taken = {tuple(c) for c in cell[len(points) :].tolist()}
    inhabitants: dict[tuple[int, ...], list[int]] = {}
    for k, c in enumerate(cell[: len(points)].tolist()):
        inhabitants.setdefault(tuple(c), []).append(k)
    free = [found for c, found in inhabitants.items() if c not in taken]
    free.sort(key=len, reverse=True)
    return [(min(found, key=lambda k: float(off_centre[k])), float(len(found))) for found in free]
