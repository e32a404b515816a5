"""Where the features of an atom are unlike those that were learnt: the last-layer estimate, which needs no committee."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch

from unnp.atoms.structure import Structure
from unnp.evaluate.last_layer import LastLayer
from unnp.exported.loader import LoadedPotential
from unnp.workflows.learn.evaluation import of_structures
from unnp.workflows.learn.last_layer import last_layer_at
from unnp.workflows.learn.selectors.base import Ranked, RankedConfig, register
from unnp.workflows.learn.situation import Situation
from unnp.workflows.learn.spreading import said


class LastLayerConfig(RankedConfig):
    """Structures with an atom whose features the learnt data leave open; `above` counts in numbers without unit."""


@register("last-layer")
class LastLayerSelector(Ranked):
    """Chooses by the largest ``sqrt(x^T C^-1 x)`` of an atom, which :mod:`unnp.evaluate.last_layer` explains."""

    Config = LastLayerConfig
    words = "largest last-layer deviation of an atom"

    def scores(self, frames: Sequence[Structure], at: Situation) -> np.ndarray:
        learnt = last_layer_at(at)
        return np.array(said(at, frames, partial(largest_rigidities, learnt.factor.numpy())))


def largest_rigidities(factor: np.ndarray, potential: LoadedPotential, frames: Sequence[Structure]) -> list[float]:
    """Return the largest ``sqrt(x^T C^-1 x)`` of an atom in each structure, with Cholesky's factor of C."""
    learnt = LastLayer(torch.from_numpy(factor), {}, "")
    return of_structures(potential, frames, lambda graph: learnt.rigidity(potential.features(graph)), np.max)
