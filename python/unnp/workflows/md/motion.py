"""The lines of a deck that say which atoms move, how warm they are, and how they begin."""

from __future__ import annotations

from unnp.errors import ConfigError
from unnp.lammps.commands import (
    DAMPING,
    PRESSURE_DAMPING,
    bath,
    command,
    draw_velocities,
    fixed_groups,
    hold_still,
    piston,
)
from unnp.lammps.system import System
from unnp.workflows.md.config import BAROSTATTED, Ensemble, MdConfig

KEPT_FORCES = ("f_forces[1]", "f_forces[2]", "f_forces[3]")
FIXES: dict[Ensemble, dict[str, str]] = {
    "nve": {"dynamics": "nve"},
    "nvt": {"dynamics": "nvt temp {bath}"},
    "npt": {"dynamics": "npt temp {bath} {piston}"},
    "nph": {"dynamics": "nph {piston}"},
    "langevin": {"dynamics": "nve", "thermostat": "langevin {bath} {seed}"},
}
"""Fixes that make an ensemble, by name."""


def moving(system: System) -> str:
    """Return the group of the atoms that move."""
    return "mobile" if system.fixed else "all"


def temperature_name(system: System) -> str | None:
    """Return the compute of the temperature of the atoms that move; None where it is LAMMPS' own."""
    return "mobile_temp" if system.fixed or system.lost != 3 else None


def keeps_forces(config: MdConfig) -> bool:
    """Tell whether the forces for the trajectory are kept before a thermostat adds its own to them."""
    return config.ensemble == "langevin" and config.dump is not None


def groups(system: System) -> list[str]:
    """Return the groups of fixed and moving atoms, and the compute of the temperature where it is not LAMMPS' own."""
    lines = []
    if system.fixed:
        lines = fixed_groups(system.fixed)
    name = temperature_name(system)
    if name:
        lines += [
            command("compute", f"{name} {moving(system)} temp"),
            command("compute_modify", f"{name} extra/dof {system.lost}"),
        ]
    return [*lines, ""] if lines else []


def minimisation(system: System) -> list[str]:
    """Return the relaxation of the atoms that move."""
    # a minimiser moves all atoms on which there is a force
    hold = [hold_still("fixed")] if system.fixed else []
    release = [command("unfix", "hold")] if system.fixed else []
    return [
        *hold,
        command("min_style", "cg"),
        command("minimize", "0.0 1.0e-3 1000 10000"),
        *release,
        command("reset_timestep", "0"),
        "",
    ]


def start_velocities(config: MdConfig, system: System) -> list[str]:
    """Return the command that draws velocities; none where they are in the data file, or the run begins at 0 K."""
    temperature = config.temperatures[0]
    if system.velocities or temperature <= 0:
        return []
    name = temperature_name(system)
    # the momentum is that of the whole only where nothing holds or pushes it, and a single atom has no other motion
    conserved = system.lost > 0
    rotation = " rot yes" if conserved and "p" not in system.boundary else ""
    options = f"mom {'yes' if conserved else 'no'}{rotation} dist gaussian" + (f" temp {name}" if name else "")
    return [draw_velocities(temperature, config.seed, moving(system), options)]


def integration(config: MdConfig, system: System) -> list[str]:
    """Return the fixes that move the atoms and keep temperature and pressure.

    Raises:
        ConfigError: a barostat in a cell that is not periodic, or with fixed atoms.
    """
    if config.ensemble in BAROSTATTED:
        _check_barostat(config, system)
    parts = {
        "bath": bath(*config.temperatures, config.temperature_damping or DAMPING * config.timestep),
        "piston": piston(
            config.coupling or "iso", *config.pressures, config.pressure_damping or PRESSURE_DAMPING * config.timestep
        ),
        "seed": config.seed,
    }
    name = temperature_name(system)
    lines = [command("fix", "forces all store/force")] if keeps_forces(config) else []
    lines += [
        command("fix", f"{fix_name} {moving(system)} {style.format(**parts)}")
        for fix_name, style in FIXES[config.ensemble].items()
    ]
    measured = name and config.ensemble in ("nvt", "npt", "nph")
    return [*lines, *([command("fix_modify", f"dynamics temp {name}")] if measured else [])]


def _check_barostat(config: MdConfig, system: System) -> None:
    if system.boundary != "p p p":
        raise ConfigError(
            f"{config.ensemble} changes the cell, which must be periodic in all directions, but the structure is not; "
            "use nvt, nve or langevin."
        )
    if system.fixed:
        raise ConfigError(
            f"{config.ensemble} changes the cell, which would move the {len(system.fixed)} fixed atoms; use nvt, nve or "
            "langevin, or let all atoms go with `structure: {fixed: none}`."
        )
