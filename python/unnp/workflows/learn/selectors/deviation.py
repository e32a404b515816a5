"""Where the members of a committee disagree on the energy of an atom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import PositiveFloat

from unnp.atoms.structure import Structure
from unnp.errors import ConfigError
from unnp.exported.loader import LoadedPotential
from unnp.workflows.learn.evaluation import of_structures
from unnp.workflows.learn.selectors.base import Choice, Selector, SelectorConfig, ranked, register
from unnp.workflows.learn.situation import Situation
from unnp.workflows.learn.spreading import said

ALIKE = 1e-3
"""Spread of deviations over their mean up to which atoms are taken to be alike, as in a perfect crystal, but for rounding."""


class DeviationConfig(SelectorConfig):
    """Structures in which the committee disagrees on one atom far more than on the others."""

    sigmas: PositiveFloat = 5.0
    """How many standard deviations of the deviations an atom's is above their mean."""
    over: Literal["frame", "all"] = "all"
    """Atoms that mean and standard deviation are taken over: those of all structures that are proposed, or, the rule of the
    paper, of the same structure (`frame`), which hardly any small structure passes with five standard deviations."""


@register("deviation")
class Deviation(Selector):
    r"""Chooses a structure where any of its atoms has ``std_i > mean(std) + sigmas * std(std)``.

    ``std_i`` is the standard deviation of the energy of atom i over the members (Jung, Lee, Choi, arXiv:2311.05407). Mean and
    standard deviation are taken over the atoms of all structures; the paper takes them over those of one frame, among n of
    which no number is more than ``sqrt(n - 1)`` standard deviations above their mean.
    """

    Config = DeviationConfig
    compares_members: ClassVar[bool] = True

    def check(self, pool: Sequence[Structure]) -> None:
        if self.config.over != "frame" or not len(pool):
            return
        sigmas, largest = self.config.sigmas, max(len(frame) for frame in pool)
        if largest - 1 <= sigmas**2:
            raise ConfigError(
                f"select: among the {largest} atoms of a structure none can be {sigmas:g} standard deviations above the mean, "
                f"only {max(0, largest - 1) ** 0.5:.3g}; take smaller `sigmas`, or `over: all` "
                "(with --resume where the loop has begun)."
            )

    def select(self, frames: Sequence[Structure], at: Situation) -> list[Choice]:
        self.check(frames)
        words = "largest atomic deviation, in sigmas:"
        return ranked(self._scores(frames, at), words, self.config.most, self.config.sigmas)

    def _scores(self, frames: Sequence[Structure], at: Situation) -> np.ndarray:
        found = said(at, frames, atomic_deviations)
        if self.config.over == "frame":
            return np.array([_sigmas(own, own.mean(), own.std()) for own in found])
        among = np.concatenate(found)
        mean, spread = among.mean(), among.std()
        return np.array([_sigmas(own, mean, spread) for own in found])


def atomic_deviations(potential: LoadedPotential, frames: Sequence[Structure]) -> list[np.ndarray]:
    """Return the standard deviations of the energies of the atoms over the members, (n_atoms,) [eV] of each structure."""
    return of_structures(
        potential, frames, lambda graph: potential.member_energies(graph).std(dim=0, correction=0), np.asarray
    )


def _sigmas(deviations: np.ndarray, mean: float, spread: float) -> float:
    return float((deviations.max() - mean) / spread) if spread > ALIKE * mean else 0.0
