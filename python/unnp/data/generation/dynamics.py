"""Snapshots of molecular dynamics: hot solids, melts, and mixtures on their way from hot to cold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from unnp.atoms.structure import Structure
from unnp.data.generation.mixture import Mixture
from unnp.data.generation.motion import Motion, build_motion
from unnp.data.generation.recipe import Dynamics
from unnp.errors import DataError, UnnpError

_MELT_FACTOR = 3.0


@dataclass(frozen=True)
class Run:
    """One run at constant volume.

    Attributes:
        start: the structure to begin with.
        temperature: temperature at which snapshots are taken, that of the melt in a mixture [K].
        sample: all other settings.
        seed: seed for velocities and thermostat.
    """

    start: Structure
    temperature: float
    sample: Dynamics | Mixture
    seed: int


def start_dynamics(calculator: Mapping[str, Any], folder: Path) -> Callable[[Run], dict[str, Any]]:
    """Return the function that makes the snapshots of a run, with a calculator of its own."""
    return partial(_snapshots, build_motion(calculator, folder))


def _snapshots(motion: Motion, run: Run) -> dict[str, Any]:
    """Return ``positions`` (n_snapshots, n_atoms, 3) [A] as lists, and why the run ``stopped`` early; empty where it did not.

    Whether it may stop early, the caller decides.
    """
    steps = _mixture(motion, run, run.sample) if isinstance(run.sample, Mixture) else _dynamics(motion, run, run.sample)
    positions: list[Any] = []
    stopped = ""
    next(steps)
    try:
        for snapshot in steps:
            if not np.isfinite(snapshot).all():
                raise DataError(f"the dynamics at {run.temperature:g} K went astray; take a smaller timestep.")
            positions.append(snapshot.tolist())
    except UnnpError as error:
        stopped = str(error)
    return {"positions": positions, "stopped": stopped}


def _dynamics(motion: Motion, run: Run, sample: Dynamics) -> Iterator[np.ndarray]:
    """Yield the positions once at the beginning, then those of each snapshot."""
    hot = sample.melt_temperature or _MELT_FACTOR * run.temperature
    first = hot if sample.kind == "melt" else run.temperature
    # Half of the kinetic energy of a crystal at rest in its sites goes into potential energy.
    motion.begin(run.start, 2 * first, sample.timestep, run.seed)
    yield run.start.positions
    if sample.kind == "melt":
        motion.thermostat(hot, hot, run.seed)
        motion.advance(sample.equilibration)
        motion.thermostat(hot, run.temperature, run.seed + 1)
        motion.advance(sample.equilibration)
    motion.thermostat(run.temperature, run.temperature, run.seed + 2)
    motion.advance(sample.equilibration)
    for _ in range(sample.snapshots):
        motion.advance(sample.interval)
        yield motion.positions()


def _mixture(motion: Motion, run: Run, sample: Mixture) -> Iterator[np.ndarray]:
    """Yield the positions once at the beginning, then those of each snapshot: first of the melt, then of the cooling."""
    motion.begin(run.start, run.temperature, sample.timestep, run.seed)
    yield run.start.positions
    motion.thermostat(run.temperature, run.temperature, run.seed)
    for _ in range(sample.snapshots):
        motion.advance(sample.melting / sample.snapshots)
        yield motion.positions()
    temperatures = np.linspace(run.temperature, sample.cool_to, sample.cooled_snapshots + 1)
    for k in range(sample.cooled_snapshots):
        motion.thermostat(temperatures[k], temperatures[k + 1], run.seed + 1 + k)
        motion.advance(sample.cooling / sample.cooled_snapshots)
        yield motion.positions()
