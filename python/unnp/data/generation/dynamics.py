"""Snapshots of molecular dynamics in LAMMPS: hot solids and melts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from unnp.atoms.structure import Structure
from unnp.data.generation.recipe import Dynamics
from unnp.data.labellers.lammps_simulation import PairStyle, Simulation
from unnp.errors import DataError

_SKIN = 1.0  # A
_DAMPING = 0.1  # ps, of the thermostat
_MELT_FACTOR = 3.0


@dataclass(frozen=True)
class Run:
    """One run at constant volume.

    Attributes:
        start: the structure to begin with.
        temperature: temperature at which snapshots are taken [K].
        sample: all other settings.
        seed: seed for velocities and thermostat.
    """

    start: Structure
    temperature: float
    sample: Dynamics
    seed: int


def start_dynamics(pair_style: PairStyle, folder: Path) -> Callable[[Run], list[np.ndarray]]:
    """Return the function that makes the snapshots of a run, with an instance of LAMMPS of its own."""
    return partial(_snapshots, Simulation(pair_style, folder))


def _snapshots(simulation: Simulation, run: Run) -> list[np.ndarray]:
    """Return the positions (n_atoms, 3) [A] of each snapshot."""
    sample = run.sample
    simulation.set_up(run.start, skin=_SKIN)
    simulation.run([f"timestep {simulation.picoseconds(sample.timestep)}", "neigh_modify every 1 delay 0 check yes"])
    hot = sample.melt_temperature or _MELT_FACTOR * run.temperature
    first = hot if sample.kind == "melt" else run.temperature
    # Half of the kinetic energy of a crystal at rest in its sites goes into potential energy.
    simulation.run([f"velocity all create {2 * first} {run.seed} mom yes rot no dist gaussian", "fix motion all nve"])
    if sample.kind == "melt":
        _thermostat(simulation, hot, hot, run.seed)
        _advance(simulation, sample.equilibration, sample)
        _thermostat(simulation, hot, run.temperature, run.seed + 1)
        _advance(simulation, sample.equilibration, sample)
    _thermostat(simulation, run.temperature, run.temperature, run.seed + 2)
    _advance(simulation, sample.equilibration, sample)
    snapshots = []
    for _ in range(sample.snapshots):
        _advance(simulation, sample.interval, sample)
        snapshots.append(simulation.positions())
    if not np.isfinite(snapshots[-1]).all():
        raise DataError(f"the dynamics at {run.temperature:g} K went astray; take a smaller timestep.")
    return snapshots


def _thermostat(simulation: Simulation, begin: float, end: float, seed: int) -> None:
    damping = simulation.picoseconds(_DAMPING)
    simulation.run([f"fix bath all langevin {begin} {end} {damping} {seed} zero yes"])


def _advance(simulation: Simulation, time: float, sample: Dynamics) -> None:
    simulation.run([f"run {max(1, round(time / sample.timestep))} post no"])


def settings_of(calculator: dict[str, Any]) -> PairStyle:
    """Return the pair style of a calculator's settings; raise ConfigError where they are wrong."""
    from unnp.data.labellers import check_settings

    _, config = check_settings(calculator)
    assert isinstance(config, PairStyle)
    return config
