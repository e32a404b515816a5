"""Where the members of a committee disagree on the force on an atom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from unnp.atoms.structure import Structure
from unnp.exported.deviation import committee_deviation
from unnp.workflows.learn.evaluation import of_structures
from unnp.workflows.learn.selectors.base import Ranked, RankedConfig, register
from unnp.workflows.learn.situation import Situation


class ForcesConfig(RankedConfig):
    """Structures with an atom on whose force the committee disagrees; `above` in eV/A."""


@register("forces")
class Forces(Ranked):
    """Chooses by the largest root mean square deviation of a force over the members."""

    Config = ForcesConfig
    compares_members: ClassVar[bool] = True
    words = "largest deviation of a force [eV/A]"

    def scores(self, frames: Sequence[Structure], at: Situation) -> np.ndarray:
        potential = at.potential
        found = of_structures(
            potential, frames, lambda graph: committee_deviation(potential, graph).force_deviation, np.max
        )
        return np.array(found)
