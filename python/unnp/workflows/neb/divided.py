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
from unnp.workflows.neb.path import apart, respaced
from unnp.workflows.neb.report import valleys, write_report
from unnp.workflows.neb.run import run_neb
from unnp.workflows.relaxation.config import RelaxationConfig
from unnp.workflows.relaxation.kept import JOURNAL
from unnp.workflows.relaxation.lammps.minimiser import LammpsMinimiser
from unnp.workflows.relaxation.relaxation import Relaxation
from unnp.workflows.relaxation.run import run_relaxations
from unnp.workflows.relaxation.structures import NAME

DIVIDED = "divided"
ONE_STATE = 0.3
"""Minima in which no atom is farther [A] from its place are one state."""


@dataclass(frozen=True)
class _State:
    """A state at rest on a path: its name, which image of the path it comes from, and where it has come to rest."""

    name: str
    image: int
    atoms: Atoms


@dataclass(frozen=True)
class _Search:
    """What finds states and bands."""

    calculator: Calculator | LammpsMinimiser
    settings: NebConfig
    potential: str

    def band(self, states: Sequence[Atoms], folder: Path, resume: bool) -> Band:
        """Return a band in a folder; once it is divided, it stays where it was then, and its parts go on."""
        stays = any((folder / DIVIDED).glob("part *"))
        settings = self.settings.model_copy(update={"max_steps": 0}) if stays else self.settings
        return run_neb(states, self.calculator, settings, folder, potential=self.potential, resume=resume)

    def at_rest(self, images: Sequence[Atoms], folder: Path) -> list[Relaxation]:
        names = ("optimiser", "max_force", "max_steps")
        relaxing = RelaxationConfig(**{name: getattr(self.settings, name) for name in names})
        return run_relaxations(
            images, self.calculator, relaxing, folder, potential=self.potential, resume=_begun(folder)
        )


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

    A band that leads over a deep minimum hardly comes to rest, as its springs have to hold images on two slopes, and its few
    images may pass a saddle by. So the images that lie in minima are relaxed, and each part between two states at rest is
    looked for by itself, with ``settings.images`` images, which begin on the path. The band that is returned, and reported in
    the folder, is made of all parts: its barriers count from its ends to the highest image of all.

    Arguments and errors are those of ``run_neb``. Minima and parts are in the folder ``divided`` within that of the band. Once
    parts have begun, a run that goes on with more steps moves these, not the whole.
    """
    search = _Search(calculator, settings, potential)
    band = search.band(states, folder, resume)
    with hold_folder(folder):
        return _divided(band, search, folder, settings.divide)


def _divided(band: Band, search: _Search, folder: Path, times: int) -> Band:
    """Return a band whose parts lead from one minimum on it to the next; itself where there is none, or one has failed."""
    if not times or band.problem or not valleys(band):
        return band
    parts: list[Band] = []
    what = "its minima"
    try:
        states = _states(band, search, folder / DIVIDED / f"minima, step {band.steps}")
        for one, other in pairwise(states if len(states) > 2 else []):
            what = f"part {one.name} to {other.name}"
            print(f"{folder.name}: {what}", flush=True)
            at = folder / DIVIDED / what
            start = parts[-1].images[-1] if parts else one.atoms  # free clusters are turned towards the start of a part
            way = respaced([start, *band.images[one.image + 1 : other.image], other.atoms], search.settings.images)
            parts.append(_divided(search.band(way, at, _begun(at)), search, at, times - 1))
    except (ConfigError, ModelError) as error:
        band.doubts.append(f"! the path is not divided; {what}: {error}")
        parts = []
    whole = joined(band, parts) if parts else band
    write_report(folder, whole)
    return whole


def _states(band: Band, search: _Search, folder: Path) -> list[_State]:
    """Return the ends of a band, and between them the minima on it at rest; a way that comes back to a state is left out."""
    images = []
    for k in valleys(band):
        image = band.images[k].copy()
        image.info = {NAME: f"image {k}"}
        images.append(image)
    last = len(band.images) - 1
    states = [_State("start", 0, band.images[0])]
    for k, minimum in zip(valleys(band), search.at_rest(images, folder), strict=True):
        name = str(minimum.start.info[NAME])
        if minimum.note():
            band.doubts.append(f"! the path is not divided at {name}: {minimum.note()}")
        elif same := _append(states, _State(name, k, minimum.atoms)):
            band.no_states.append(k)
            band.doubts.append(f"{name} relaxes to the state of {same}: the path is not divided there")
    end = _State("end", last, band.images[-1])
    if same := _append(states, end):
        band.no_states += [state.image for state in states[-1:] if state.image]
        band.doubts.append(f"{same} relaxes to the state of the end: the path is not divided there")
        states = [*states[:-1], end] if len(states) > 1 else [*states, end]
    return states


def _append(states: list[_State], state: _State) -> str:
    """Add a state to a way; where the way has been there already, it goes on from there, and the name of that is returned."""
    for k, seen in enumerate(states):
        if apart(seen.atoms, state.atoms) < ONE_STATE:
            del states[k + 1 :]
            return seen.name
    states.append(state)
    return ""


def _begun(folder: Path) -> bool:
    return (folder / JOURNAL).is_file()
