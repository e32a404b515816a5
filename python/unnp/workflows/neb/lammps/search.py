"""A band on its way to the path of lowest energy by LAMMPS' own ``neb``, each image on ranks of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from unnp.errors import ModelError
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder, write_atomically
from unnp.lammps.data_file import data_files
from unnp.lammps.launch import Launch
from unnp.lammps.log import LammpsLog, LogFollower
from unnp.lammps.run import run_lammps
from unnp.workflows.neb.band import Band
from unnp.workflows.neb.config import NebConfig
from unnp.workflows.neb.lammps.deck import LARGEST, band_deck, data_of
from unnp.workflows.neb.lammps.frames import LOG, Frames, log_of, read_frames
from unnp.workflows.relaxation.lammps.leftovers import clear, clear_of_others
from unnp.workflows.relaxation.lammps.minimiser import SECONDS_BETWEEN_LINES, LammpsMinimiser
from unnp.workflows.relaxation.lammps.state import as_given
from unnp.workflows.relaxation.minimise import FAILURES, reason

DECK = "in.lammps"


def search(
    band: Band, lammps: LammpsMinimiser, settings: NebConfig, folder: Path, run: str, keep: Callable[[], object]
) -> None:
    """Take a band further: to the path of lowest energy, to its last step, or to what goes wrong, which it then says.

    A run of LAMMPS that begins at step N has the folder ``band-N``. What one that was killed has left there is taken into
    the band, which is kept; then another begins where it stands.

    Args:
        band: begun, or as it was kept; it is changed.
        lammps: the potential, and how LAMMPS is started; ``ranks`` are those of each image.
        settings: springs, limits, climbing.
        folder: of the whole search.
        run: digest of all that the course of the search depends on; what folders have of another is removed.
        keep: called when the band has come further.

    Raises:
        UnnpError: another run is going on in the folder, as of a process that was just killed; or it cannot be made.
    """
    part = _part(band, folder, run)
    try:
        if _take(band, settings, part):
            keep()
            part = _part(band, folder, run)
        if not band.is_over(settings):
            _run(band, lammps, settings, part)
            _take(band, settings, part)
    except FAILURES as error:
        band.problem = reason(error)


def _part(band: Band, folder: Path, run: str) -> Path:
    part = folder / f"band-{band.steps}"
    make_folder(part)
    with hold_folder(part):  # a run of LAMMPS holds it too, also where its starter was killed
        clear_of_others(part, run)
    return part


def _run(band: Band, lammps: LammpsMinimiser, settings: NebConfig, part: Path) -> None:
    n_images, launch = len(band.images), lammps.launch
    with hold_folder(part):
        clear(part)
        system = lammps.system(band.images[0], part)
        for k, text in enumerate(data_files([as_given(atoms) for atoms in band.images], system.elements)):
            write_atomically(part / data_of(k), text)
        shown = f"{launch.shown(n_images)} -in {DECK} -partition {n_images}x{launch.ranks}"
        deck = band_deck(settings, system, n_images, shown, step=band.steps, climbing=band.climbing)
        write_atomically(part / DECK, deck)
        _say_if_crowded(launch, n_images)
        run_lammps(part / DECK, launch, partitions=n_images, log=LOG, follow=_Telling(part, n_images))


def _take(band: Band, settings: NebConfig, part: Path) -> bool:
    """Read how far a run of LAMMPS has come into a band, and tell whether that is further than it was."""
    frames = read_frames(part, band.images)
    if frames is None:
        return False
    if not np.isfinite(frames.energies).all():
        raise ModelError("the energy of an image is not finite; begin with another path, or check the potential there.")
    begun, before = bool(band.barriers), band.steps
    _append(band, frames)
    band.at_rest = band.forces[-1] <= settings.max_force and (band.climbing or not settings.climb)
    return not begun or band.steps > before


def _append(band: Band, frames: Frames) -> None:
    first = int(frames.steps[0])
    band.barriers[first:] = (frames.energies.max(axis=1) - frames.energies[:, 0]).tolist()
    band.forces[first:] = frames.forces.tolist()
    for atoms, positions in zip(band.images, frames.positions, strict=True):
        atoms.set_positions(positions, apply_constraint=False)
    band.energies, band.atomic_forces = frames.energies[-1], frames.atomic_forces
    band.atomic_forces[[0, -1]] = 0.0
    band.climbing = band.climbing or frames.climbing


def _say_if_crowded(launch: Launch, n_images: int) -> None:
    """Say where processes share cores, as far as this machine is the one that they run on."""
    processes, cores = n_images * launch.ranks, len(os.sched_getaffinity(0))
    if processes > cores:
        print(
            f"! LAMMPS runs {processes} processes, {launch.ranks} for each of {n_images} images with the ends, and this "
            f"machine has {cores} cores: on it they wait for each other. Take fewer --images, or an optimiser of ASE.",
            flush=True,
        )


class _Telling:
    """Says now and then where a band is, from the logs of its images."""

    def __init__(self, folder: Path, n_images: int) -> None:
        self._followers = [LogFollower(log_of(folder, k)) for k in range(n_images)]
        self._last = time.monotonic()

    def __call__(self, _: LammpsLog) -> None:
        if time.monotonic() - self._last < SECONDS_BETWEEN_LINES:
            return
        self._last = time.monotonic()
        rows = []
        for follower in self._followers:
            follower.read()
            rows += [block.rows[-1] for block in follower.log.blocks if LARGEST in block.names and block.rows][-1:]
        if len(rows) == len(self._followers):
            steps, energies, forces = np.transpose(rows)
            barrier = energies.max() - energies[0]
            print(
                f"step {steps.min():.0f}  highest image {barrier:.3f} eV  largest force {forces.max():.3g} eV/A",
                flush=True,
            )
