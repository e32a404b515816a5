"""Rare events: structures on whose energy a committee disagrees, no two of them alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from unnp.atoms.structure import Structure
from unnp.data.distances import rms_displacement
from unnp.exported.loader import LoadedPotential
from unnp.units import KCAL_MOL_PER_EV
from unnp.workflows.learn.evaluation import of_structures
from unnp.workflows.learn.selectors.base import Choice, Selector, SelectorConfig, ranked, register
from unnp.workflows.learn.situation import Situation
from unnp.workflows.learn.spreading import said


class RareConfig(SelectorConfig):
    """Structures whose energy the committee disagrees on, and that differ from each other."""

    sigmas: PositiveFloat = 3.0
    """How many standard deviations of all deviations a structure's is above their mean."""
    energy: NonNegativeFloat = 1.0 / KCAL_MOL_PER_EV
    """Structures are alike whose energies differ by less than this [eV], and ..."""
    distance: NonNegativeFloat = 0.01
    """... whose atoms differ by less than this, root mean square [A]."""
    most: PositiveInt | None = 50
    """Structures that are chosen in a round, at most; null: no bound."""


@register("rare")
class Rare(Selector):
    """Chooses by the standard deviation of the total energy, largest first, and leaves out what is like one chosen before.

    The variant for rare events of Jung, Lee, Choi, arXiv:2311.05407.
    """

    Config = RareConfig
    compares_members: ClassVar[bool] = True

    def select(self, frames: Sequence[Structure], at: Situation) -> list[Choice]:
        totals = np.array(said(at, frames, member_totals))
        mean, deviation = totals.mean(axis=1), totals.std(axis=1)
        spread = deviation.std()
        scores = (deviation - deviation.mean()) / spread if spread > 0 else np.zeros(len(frames))
        kept: list[Choice] = []
        for choice in ranked(scores, "deviation of the energy, in sigmas:", None, self.config.sigmas):
            near = [k for k in kept if abs(mean[k.index] - mean[choice.index]) < self.config.energy]
            if not any(_alike(frames[k.index], frames[choice.index], self.config.distance) for k in near):
                kept.append(choice)
            if len(kept) == self.config.most:
                break
        return kept


def member_totals(potential: LoadedPotential, frames: Sequence[Structure]) -> list[np.ndarray]:
    """Return the energies of each structure according to all members, (n_members,) [eV]."""
    return of_structures(
        potential, frames, lambda graph: potential.member_energies(graph).T, lambda rows: rows.sum(axis=0)
    )


def _alike(one: Structure, other: Structure, distance: float) -> bool:
    if not (np.array_equal(one.numbers, other.numbers) and np.array_equal(one.pbc, other.pbc)):
        return False
    if np.abs(one.cell - other.cell).max() >= max(distance, 1e-12):
        return False
    return rms_displacement(one, other.positions) < distance
