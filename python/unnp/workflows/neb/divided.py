"""A path divided at the minima on it: each part is looked for by itself, between two states at rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ase import Atoms
from ase.calculators.calculator import Calculator

from unnp.errors import ConfigError, ModelError
from unnp.files.locks import hold_folder
from unnp.workflows.neb.band import Band, joined
from unnp.workflows.neb.config import NebConfig
from unnp.workflows.neb.path import apart
from unnp.workflows.neb.report import valleys, write_report
from unnp.workflows.neb.run import run_neb
from unnp.workflows.relaxation.config import RelaxationConfig
from unnp.workflows.relaxation.kept import JOURNAL
from unnp.workflows.relaxation.lammps.minimiser import LammpsMinimiser
from unnp.workflows.relaxation.relaxation import Relaxation
from unnp.workflows.relaxation.run import run_relaxations
from unnp.workflows.relaxation.structures import NAME

ONE_STATE = 0.3
"""Minima in which no atom is farther [A] from its place are one state."""


@dataclass(frozen=True)
class _Search:
    """What finds states and bands."""

    calculator: Calculator | LammpsMinimiser
    settings: NebConfig
    potential: str

    def band(self, states: Sequence[Atoms], folder: Path) -> Band:
        begun = (folder / JOURNAL).is_file()
        return run_neb(states, self.calculator, self.settings, folder, potential=self.potential, resume=begun)

    def at_rest(self, images: Sequence[Atoms], folder: Path) -> list[Relaxation]:
        names = ("optimiser", "max_force", "max_steps")
        relaxing = RelaxationConfig(**{name: getattr(self.settings, name) for name in names})
        begun = (folder / JOURNAL).is_file()
        return run_relaxations(images, self.calculator, relaxing, folder, potential=self.potential, resume=begun)


def run_divided(
    states: Sequence[Atoms],
    calculator: Calculator | LammpsMinimiser,
    settings: NebConfig,
    folder: Path,
    *,
    potential: str = "",
    resume: bool = False,
) -> Band:
    """Find a path as ``run_neb`` does, and divide it at the minima on it, ``settings.divide`` times at most.

    A band that leads over a deep minimum hardly comes to rest, as its springs have to hold images on two slopes. So the images
    that lie in minima are relaxed, and each part between two states at rest is looked for by itself, with as many images as
    the whole. The band that is returned, and reported in the folder, is made of all parts: its barriers count from its ends
    to the highest image of all.

    Arguments and errors are those of ``run_neb``. Minima and parts are in a folder ``divided, step N`` within that of the band.
    """
    band = run_neb(states, calculator, settings, folder, potential=potential, resume=resume)
    with hold_folder(folder):
        whole = _divided(band, _Search(calculator, settings, potential), folder, settings.divide)
        if whole.parts:
            write_report(folder, whole)
    return whole


def _divided(band: Band, search: _Search, folder: Path, times: int) -> Band:
    """Return a band whose parts lead from one minimum on it to the next; itself where there is none, or it has failed."""
    if not times or band.problem or not valleys(band):
        return band
    place = folder / f"divided, step {band.steps}"  # a band that goes on has other minima
    parts: list[Band] = []
    try:
        states = _states(band, search, place / "minima")
        if len(states) < 3:
            return band
        for k, ends in enumerate(pairwise(states), 1):
            print(f"part {k} of {len(states) - 1}", flush=True)
            at = place / f"part {k}"
            parts.append(_divided(search.band(ends, at), search, at, times - 1))
    except (ConfigError, ModelError) as error:
        band.doubts.append(f"! the path is not divided: {error}")
        return band
    return joined(band, parts)


def _states(band: Band, search: _Search, folder: Path) -> list[Atoms]:
    """Return the ends of a band, and between them the minima on it at rest; a way that comes back to a state is left out."""
    images = []
    for k in valleys(band):
        image = band.images[k].copy()
        image.info = {NAME: f"image {k}"}
        images.append(image)
    start, end = band.images[0], band.images[-1]
    states = [start]
    for minimum in search.at_rest(images, folder):
        if minimum.note():
            band.doubts.append(f"! the path is not divided at {minimum.start.info[NAME]}: {minimum.note()}")
        else:
            _append(states, minimum.atoms)
    _append(states, end)
    return [start, *states[1:-1], end]


def _append(states: list[Atoms], state: Atoms) -> None:
    """Add a state to a way; where the way has been there already, it goes on from there."""
    for k, seen in enumerate(states):
        if apart(seen, state) < ONE_STATE:
            del states[k + 1 :]
            return
    states.append(state)
