"""Input decks of the stages of a melting point; each runs by itself in its folder."""

from __future__ import annotations

from math import ceil

from unnp.lammps.system import DATA_FILE, System, command
from unnp.units import BAR_PER_GPA
from unnp.workflows.melt.config import STRIDE, MeltConfig
from unnp.workflows.melt.crystal import Crystal

SOLID_DATA = "solid.data"
LAYER = 0.4
"""Thickness of the layers along the normal of the interface in which profiles are averaged [A]; it resolves lattice planes."""
N_PROFILES = 20
"""Of a run, one after the other."""
ALIGNED, CRYSTAL_SHARE = 0.5, 0.6
"""An atom counts as crystal where more than this share of its neighbours has surroundings (q6) aligned beyond 0.5."""
COLUMNS = "step time temp press pe enthalpy pxx pyy pzz lx ly lz f_means[1] f_means[2] f_crystal"
TITLES = {
    "solid": "solid crystal: its box, then its order in it",
    "melt": "half of the crystal melted, the other half held",
    "coexistence": "crystal and melt at constant enthalpy",
    "pinning": "crystal and melt at constant temperature, held by a field",
}
_THERMO = (command("thermo_modify", "flush yes format float %.10g"),)  # to be said again after each thermo_style


class DeckWriter:
    """Decks for one crystal, ``crystal`` and ``system`` in the decks' words, at one temperature [K]."""

    def __init__(self, config: MeltConfig, system: System, crystal: Crystal, temperature: float) -> None:
        self._config, self._system, self._crystal = config, system, crystal
        self._kelvin = _number(temperature)
        self._heat = _number((config.temperature_damping or 100 * config.timestep) / 1000)
        self._squeeze = _number((config.pressure_damping or 1000 * config.timestep) / 1000)
        self._bar = _number(config.pressure * BAR_PER_GPA)
        self._temperature = temperature

    def solid(self) -> str:
        """Return the deck of the crystal: its box at temperature and pressure, then order and energy in that box."""
        cell = self._config.cell
        first, averaged = self._config.steps(cell.equilibration), self._config.steps(cell.averaging)
        coupling = "iso" if self._crystal.cubic else "aniso"
        lines = [
            *self._begin("solid", DATA_FILE),
            # Half of it goes into the potential energy of the lattice.
            self._velocities("all", 2 * self._temperature, self._config.seed),
            *self._measure(),
            "",
            command("fix", f"npt all npt {self._bath()} {coupling} {self._bar} {self._bar} {self._squeeze}"),
            command("run", str(first)),
            command("fix", f"box all ave/time 5 {STRIDE // 5} {STRIDE} v_lx v_ly v_lz ave running"),
            command("run", str(averaged)),
            *(command("variable", f"{name} equal $(f_box[{k}])") for k, name in enumerate("abc", 1)),
            *(command("unfix", name) for name in ("npt", "box")),
            command("change_box", "all x final 0 $a y final 0 $b z final 0 $c remap units box"),
            "",
            command("fix", f"nvt all nvt {self._bath()}"),
            *self._order_parameter(0.0, 0.0),
            command("run", str(self._config.steps(cell.averaging / 2))),
            command("write_data", f"{SOLID_DATA} nocoeff"),
        ]
        return "\n".join([*lines, ""])

    def melt(self, run: int = 1) -> str:
        """Return the deck that melts the outer half of the cell, the inner one held, cools it, and lets both settle."""
        cell, seed = self._config.cell, self._config.seed + 10 * run
        z = f"z {self._bar} {self._bar} {self._squeeze}"
        hot = cell.melt_temperature or 2 * self._temperature
        lines = [
            *self._begin("melt", SOLID_DATA),
            *_outside("melt", 0.25),
            *_outside("core", 0.125),  # of the melt, without the layers that the crystal orders
            *self._measure("core"),
            self._velocities("melt", 2 * hot, seed + 1),
            "",
            command("fix", f"nph melt nph {z} dilate melt"),
            command("fix", f"bath melt temp/csvr {_number(hot)} {_number(hot)} {self._heat} {seed + 2}"),
            command("run", str(self._config.steps(cell.melting))),
            command("fix", f"bath melt temp/csvr {self._kelvin} {self._kelvin} {self._heat} {seed + 3}"),
            command("run", str(self._config.steps(cell.cooling))),
            *(command("unfix", name) for name in ("bath", "nph")),
            command("fix", f"nph all nph {z}"),
            command("fix", f"bath all temp/csvr {self._kelvin} {self._kelvin} {self._heat} {seed + 4}"),
            command("run", str(self._config.steps(cell.cooling / 3))),
            command("write_data", f"{two_phase_data(run)} nocoeff"),
        ]
        return "\n".join([*lines, ""])

    def coexistence(self, run: int = 1) -> str:
        """Return the deck of two phases at constant enthalpy, the box free along the normal of the interface."""
        steps = self._config.steps(self._config.coexistence.duration)
        lines = [
            *self._begin("coexistence", two_phase_data(run)),
            command("velocity", "all zero linear"),
            *self._measure(),
            *self._profile(f"profile.{run}.dat", steps),
            "",
            command("fix", f"nph all nph z {self._bar} {self._bar} {self._squeeze}"),
            command("run", str(steps)),
            command("write_data", f"coexistence.{run}.data nocoeff"),
        ]
        return "\n".join([*lines, ""])

    def pinning(self, stiffness: float, anchor: float) -> str:
        """Return the deck of two phases at constant temperature, held by a harmonic field on the order parameter.

        Args:
            stiffness: of the field [eV].
            anchor: order parameter at which it is zero.
        """
        steps = self._config.steps(self._config.pinning.duration)
        lines = [
            *self._begin("pinning", two_phase_data(1)),
            command("velocity", "all zero linear"),
            *self._measure(),
            *self._profile("profile.pinning.dat", steps),
            "",
            command("fix", f"npt all npt {self._bath()} z {self._bar} {self._bar} {self._squeeze}"),
            *self._order_parameter(stiffness, anchor),
            command("run", str(steps)),
            command("write_data", "pinning.data nocoeff"),
        ]
        return "\n".join([*lines, ""])

    def title(self, kind: str) -> str:
        """Return what a deck does, and under which conditions, in one line."""
        pressure, timestep = self._config.pressure, self._config.timestep
        return f"{TITLES[kind]}, {self._kelvin} K, {pressure:g} GPa, timestep {timestep:g} fs"

    def _begin(self, kind: str, data: str) -> list[str]:
        return [
            f"# {self._system.title}",
            f"# {self.title(kind)}",
            "",
            command("units", "metal"),
            command("atom_style", "atomic"),
            command("boundary", self._system.boundary),
            command("read_data", data),
            "",
            *self._system.potential,
            "",
            command("timestep", f"{_number(self._config.timestep / 1000)}    # ps"),
        ]

    def _measure(self, group: str = "all") -> list[str]:
        """Return the computes of temperature and share of crystal-like atoms of a group, averaged or sampled at a stride."""
        radius = _number(round(self._crystal.shell_radius, 4))
        share = _number(round(CRYSTAL_SHARE * self._crystal.coordination, 4))
        return [
            command("compute", f"q6 all orientorder/atom degrees 1 6 nnn NULL cutoff {radius} components 6"),
            command("compute", f"aligned all coord/atom orientorder q6 {ALIGNED:g}"),
            command("variable", f"crystal atom c_aligned>{share}"),
            command("compute", f"crystal {group} reduce ave v_crystal"),
            command("compute", f"temperature {group} temp"),
            *(command("variable", f"{name} equal {name}") for name in ("lx", "ly", "lz", "enthalpy")),
            command("fix", f"crystal all ave/time {STRIDE} 1 {STRIDE} c_crystal"),
            command("fix", f"means all ave/time 10 {STRIDE // 10} {STRIDE} c_temperature v_enthalpy"),
            command("thermo_style", f"custom {COLUMNS}"),
            command("thermo", str(STRIDE)),
            *_THERMO,
        ]

    def _order_parameter(self, stiffness: float, anchor: float) -> list[str]:
        if self._crystal.bragg is None:
            return []
        nx, ny = self._crystal.bragg
        return [
            command("fix", f"order all rhok {nx} {ny} 0 {_number(stiffness)} {_number(anchor)}"),
            command("fix", f"order_mean all ave/time 10 {STRIDE // 10} {STRIDE} f_order[3]"),
            command("thermo_style", f"custom {COLUMNS} f_order_mean"),
            *_THERMO,
        ]

    def _profile(self, file: str, steps: int) -> list[str]:
        samples = max(1, steps // (N_PROFILES * STRIDE))
        n_layers = round(self._crystal.atoms.cell.lengths()[2] / LAYER)
        width = f"{ceil(1e10 / n_layers) / 1e10:.10f}"  # rounded up, or LAMMPS adds a layer of no thickness
        return [
            command("compute", f"layers all chunk/atom bin/1d z lower {width} units reduced"),
            command("fix", f"profile all ave/chunk {STRIDE} {samples} {samples * STRIDE} layers &"),
            command("", f"density/number v_crystal file {file}"),
        ]

    def _velocities(self, group: str, kelvin: float, seed: int) -> str:
        return command("velocity", f"{group} create {_number(kelvin)} {seed} mom yes dist gaussian")

    def _bath(self) -> str:
        return f"temp {self._kelvin} {self._kelvin} {self._heat}"


def _outside(group: str, share: float) -> list[str]:
    """Return the group of the atoms within a share of the cell's length from its ends."""
    bounds = f"$({_number(share)}*lz) $({_number(1 - share)}*lz)"
    return [
        command("region", f"{group} block INF INF INF INF {bounds} side out units box"),
        command("group", f"{group} region {group}"),
    ]


def two_phase_data(run: int) -> str:
    """Return the name of the file with crystal and melt side by side."""
    return f"two-phase.{run}.data"


def _number(value: float) -> str:
    return f"{value:.10g}"
