"""Where the features of an atom are unlike those that were learnt: the last-layer estimate, which needs no committee."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unnp.atoms.structure import Structure
from unnp.evaluate.last_layer import plain_last_layer
from unnp.workflows.learn.evaluation import of_structures
from unnp.workflows.learn.selectors.base import Ranked, RankedConfig, register
from unnp.workflows.learn.situation import Situation


class LastLayerConfig(RankedConfig):
    """Structures with an atom whose features the learnt data leave open; `above` counts in numbers without unit."""


@register("last-layer")
class LastLayerSelector(Ranked):
    """Chooses by the largest ``sqrt(x^T C^-1 x)`` of an atom, which :mod:`unnp.evaluate.last_layer` explains."""

    Config = LastLayerConfig
    words = "largest last-layer deviation of an atom"

    def scores(self, frames: Sequence[Structure], at: Situation) -> np.ndarray:
        potential = at.potential
        learnt = plain_last_layer(potential, at.learnt)
        found = of_structures(potential, frames, lambda graph: learnt.rigidity(potential.features(graph)), np.max)
        return np.array(found)
