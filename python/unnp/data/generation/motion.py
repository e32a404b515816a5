"""Molecular dynamics at constant volume with the calculator of a recipe: in LAMMPS, or step by step with any labeller."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import units
from ase.data import atomic_masses

from unnp.atoms.structure import Structure
from unnp.data.labellers import Labeller, build_labeller, check_settings
from unnp.data.labellers.lammps_simulation import PairStyle, Simulation
from unnp.units import BOLTZMANN_EV_PER_K

_SKIN = 1.0  # A
_DAMPING = 0.1  # ps, of the thermostat
_PICOSECOND = 1000.0 * units.fs  # in A sqrt(amu / eV)


class Motion(ABC):
    """Moves the atoms of one structure after the other."""

    @abstractmethod
    def begin(self, structure: Structure, temperature: float, timestep: float, seed: int) -> None:
        """Take in a structure with random velocities of a temperature [K]; ``timestep`` in ps.

        Raises:
            UnnpError: the structure cannot be computed.
        """

    @abstractmethod
    def thermostat(self, begin: float, end: float, seed: int) -> None:
        """From here on, each advance goes from one temperature to another [K], with a Langevin thermostat."""

    @abstractmethod
    def advance(self, time: float) -> None:
        """Go on by a time [ps]; raise UnnpError where the calculator fails."""

    @abstractmethod
    def positions(self) -> np.ndarray:
        """Return the positions (n_atoms, 3) [A]."""


class LammpsMotion(Motion):
    """Dynamics in an instance of LAMMPS."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._timestep = 0.0

    def begin(self, structure: Structure, temperature: float, timestep: float, seed: int) -> None:
        simulation, self._timestep = self._simulation, timestep
        simulation.set_up(structure, skin=_SKIN)
        simulation.run([f"timestep {simulation.picoseconds(timestep)}", "neigh_modify every 1 delay 0 check yes"])
        simulation.run([f"velocity all create {temperature} {seed} mom yes rot no dist gaussian", "fix motion all nve"])

    def thermostat(self, begin: float, end: float, seed: int) -> None:
        damping = self._simulation.picoseconds(_DAMPING)
        self._simulation.run([f"fix bath all langevin {begin} {end} {damping} {seed} zero yes"])

    def advance(self, time: float) -> None:
        self._simulation.run([f"run {_steps(time, self._timestep)} post no"])

    def positions(self) -> np.ndarray:
        return self._simulation.positions()


class LabellerMotion(Motion):
    """Dynamics with the forces of a labeller.

    The scheme is BAOAB, B. Leimkuhler and C. Matthews, Appl. Math. Res. Express 2013, 34: half a kick and half a drift on
    either side of the friction, ``v <- c v + sqrt((1 - c^2) k T / m) xi`` with ``c = exp(-dt / damping)``.
    """

    def __init__(self, labeller: Labeller) -> None:
        self._labeller = labeller

    def begin(self, structure: Structure, temperature: float, timestep: float, seed: int) -> None:
        self._structure = Structure(structure.numbers, structure.positions.copy(), structure.cell, structure.pbc)
        self._structure.source = structure.source
        self._masses = atomic_masses[structure.numbers][:, None]
        self._timestep = timestep
        self._random = np.random.default_rng(seed)
        noise = self._random.normal(size=structure.positions.shape)
        self._velocities = np.sqrt(BOLTZMANN_EV_PER_K * temperature / self._masses) * noise
        self._forces = self._computed_forces()

    def thermostat(self, begin: float, end: float, seed: int) -> None:
        self._begin, self._end = begin, end
        self._random = np.random.default_rng(seed)

    def advance(self, time: float) -> None:
        n_steps, dt = _steps(time, self._timestep), self._timestep * _PICOSECOND
        keep = np.exp(-self._timestep / _DAMPING)
        for temperature in np.linspace(self._begin, self._end, n_steps):
            self._velocities += 0.5 * dt * self._forces / self._masses
            self._structure.positions += 0.5 * dt * self._velocities
            noise = self._random.normal(size=self._velocities.shape)
            width = np.sqrt((1 - keep**2) * BOLTZMANN_EV_PER_K * temperature / self._masses)
            self._velocities = keep * self._velocities + width * noise
            self._structure.positions += 0.5 * dt * self._velocities
            self._forces = self._computed_forces()
            self._velocities += 0.5 * dt * self._forces / self._masses

    def positions(self) -> np.ndarray:
        return self._structure.positions.copy()

    def _computed_forces(self) -> np.ndarray:
        forces = self._labeller.label(self._structure).forces
        assert forces is not None  # label has refused anything else
        return forces


def build_motion(calculator: Mapping[str, Any], folder: Path) -> Motion:
    """Return what moves atoms by a calculator's settings; raise ConfigError where they are wrong."""
    _, config = check_settings(calculator)
    if isinstance(config, PairStyle):
        return LammpsMotion(Simulation(config, folder))
    return LabellerMotion(build_labeller(calculator, folder))


def _steps(time: float, timestep: float) -> int:
    return max(1, round(time / timestep))
