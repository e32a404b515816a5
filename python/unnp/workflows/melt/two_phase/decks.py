"""Input decks of the stages of a melting point, filled in; each runs by itself in its folder."""

from __future__ import annotations

from math import ceil

from unnp.lammps.commands import (
    DAMPING,
    PRESSURE_DAMPING,
    bath,
    draw_velocities,
    number,
    piston,
    thermo_format,
    timestep,
    world,
)
from unnp.lammps.system import DATA_FILE, System
from unnp.workflows.melt.config import STRIDE, MeltConfig
from unnp.workflows.melt.crystal import Crystal
from unnp.workflows.melt.two_phase import deck_texts as texts

SOLID_DATA = "solid.data"
LAYER = 0.4
"""Thickness of the layers along the normal of the interface in which profiles are averaged [A]; it resolves lattice planes."""
N_PROFILES = 20
"""Number of consecutive profiles per run."""
ALIGNED, CRYSTAL_SHARE = 0.5, 0.6
"""An atom counts as crystal where more than this share of its neighbours has surroundings (q6) aligned beyond 0.5."""
COLUMNS = "step time temp press pe enthalpy pxx pyy pzz lx ly lz f_means[1] f_means[2] f_crystal"


class DeckWriter:
    """Decks for one crystal, ``crystal`` and ``system`` in the decks' words, at one temperature [K]."""

    def __init__(self, config: MeltConfig, system: System, crystal: Crystal, temperature: float) -> None:
        self._config, self._system, self._crystal, self._temperature = config, system, crystal, temperature

    def title(self, kind: str) -> str:
        """Return what a deck does, and under which conditions, in one line."""
        config = self._config
        conditions = f"{number(self._temperature)} K, {config.pressure:g} GPa, timestep {config.timestep:g} fs"
        return f"{texts.TITLES[kind]}, {conditions}"

    def solid(self) -> str:
        """Return the deck of the crystal: its box at temperature and pressure, then order and energy in that box."""
        cell, steps = self._config.cell, self._config.steps
        return texts.SOLID.format(
            begin=self._begin("solid", DATA_FILE),
            velocities=draw_velocities(2 * self._temperature, self._config.seed),
            measure=self._measure(),
            bath=self._bath(self._temperature),
            piston=self._piston("iso" if self._crystal.cubic else "aniso"),
            equilibration=steps(cell.equilibration),
            averaging=steps(cell.averaging),
            settling=steps(cell.averaging / 2),
            order=self._order_parameter(0.0, 0.0),
            fifth=STRIDE // 5,
            stride=STRIDE,
        )

    def melt(self, run: int = 1) -> str:
        """Return the deck that melts the outer half of the cell, the inner one held, cools it, and lets both settle."""
        cell, steps, seed = self._config.cell, self._config.steps, self._config.seed + 10 * run
        hot = cell.melt_temperature or 2 * self._temperature
        return texts.MELT.format(
            begin=self._begin("melt", SOLID_DATA),
            measure=self._measure("core"),
            velocities=draw_velocities(2 * hot, seed + 1, "melt"),
            piston=self._piston("z"),
            hot_bath=self._bath(hot),
            bath=self._bath(self._temperature),
            seeds=[seed + k for k in (2, 3, 4)],
            melting=steps(cell.melting),
            cooling=steps(cell.cooling),
            settling=steps(cell.cooling / 3),
            written=two_phase_data(run),
        )

    def coexistence(self, run: int = 1) -> str:
        """Return the deck of two phases at constant enthalpy, the box free along the normal of the interface."""
        steps = self._config.steps(self._config.coexistence.duration)
        return texts.COEXISTENCE.format(
            begin=self._begin("coexistence", two_phase_data(run)),
            measure=self._measure(),
            profile=self._profile(f"profile.{run}.dat", steps),
            piston=self._piston("z"),
            steps=steps,
            written=f"coexistence.{run}.data",
        )

    def pinning(self, stiffness: float, anchor: float) -> str:
        """Return the deck of two phases at constant temperature, held by a harmonic field on the order parameter.

        Args:
            stiffness: the field's stiffness [eV].
            anchor: order parameter at which it is zero.
        """
        steps = self._config.steps(self._config.pinning.duration)
        return texts.PINNING.format(
            begin=self._begin("pinning", two_phase_data(1)),
            measure=self._measure(),
            profile=self._profile("profile.pinning.dat", steps),
            bath=self._bath(self._temperature),
            piston=self._piston("z"),
            order=self._order_parameter(stiffness, anchor),
            steps=steps,
            written="pinning.data",
        )

    def _begin(self, kind: str, data: str) -> str:
        return texts.BEGIN.format(
            system=self._system.title,
            title=self.title(kind),
            world="\n".join(world(self._system.boundary)),
            data=data,
            potential="\n".join(self._system.potential),
            timestep=timestep(self._config.timestep),
        )

    def _measure(self, group: str = "all") -> str:
        return texts.MEASURE.format(
            group=group,
            radius=number(round(self._crystal.shell_radius, 4)),
            share=number(round(CRYSTAL_SHARE * self._crystal.coordination, 4)),
            aligned=ALIGNED,
            columns=COLUMNS,
            stride=STRIDE,
            tenth=STRIDE // 10,
            thermo_format=thermo_format(),
        )

    def _order_parameter(self, stiffness: float, anchor: float) -> str:
        if self._crystal.bragg is None:
            return ""
        nx, ny = self._crystal.bragg
        return texts.ORDER.format(
            nx=nx,
            ny=ny,
            stiffness=number(stiffness),
            anchor=number(anchor),
            columns=COLUMNS,
            stride=STRIDE,
            tenth=STRIDE // 10,
            thermo_format=thermo_format(),
        )

    def _profile(self, file: str, steps: int) -> str:
        samples = max(1, steps // (N_PROFILES * STRIDE))
        n_layers = round(self._crystal.atoms.cell.lengths()[2] / LAYER)
        width = f"{ceil(1e10 / n_layers) / 1e10:.10f}"  # rounded up, or LAMMPS adds a layer of no thickness
        return texts.PROFILE.format(width=width, samples=samples, each=samples * STRIDE, stride=STRIDE, file=file)

    def _bath(self, kelvin: float) -> str:
        return bath(kelvin, kelvin, self._config.temperature_damping or DAMPING * self._config.timestep)

    def _piston(self, coupling: str) -> str:
        pressure, damping = self._config.pressure, self._config.pressure_damping
        return piston(coupling, pressure, pressure, damping or PRESSURE_DAMPING * self._config.timestep)


def two_phase_data(run: int) -> str:
    """Return the name of the file with crystal and melt side by side."""
    return f"two-phase.{run}.data"
