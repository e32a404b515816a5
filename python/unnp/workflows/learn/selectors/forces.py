"""Where the members of a committee disagree on the force on an atom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from unnp.atoms.structure import Structure
from unnp.exported.deviation import committee_deviation
from unnp.exported.loader import LoadedPotential
from unnp.workflows.learn.evaluation import of_structures
from unnp.workflows.learn.selectors.base import Ranked, RankedConfig, register
from unnp.workflows.learn.situation import Situation
from unnp.workflows.learn.spreading import said


class ForcesConfig(RankedConfig):
    """Structures with an atom on whose force the committee disagrees; `above` in eV/A."""


@register("forces")
class Forces(Ranked):
    """Chooses by the largest root mean square deviation of a force over the members."""

    Config = ForcesConfig
    compares_members: ClassVar[bool] = True
    words = "largest deviation of a force [eV/A]"

    def scores(self, frames: Sequence[Structure], at: Situation) -> np.ndarray:
        return np.array(said(at, frames, largest_deviations))


def largest_deviations(potential: LoadedPotential, frames: Sequence[Structure]) -> list[float]:
    """Return the largest deviation of a force [eV/A] in each structure."""
    return of_structures(potential, frames, lambda graph: committee_deviation(potential, graph).force_deviation, np.max)
