"""What the decks of all stages have in common."""

from __future__ import annotations

from unnp.lammps.system import System, command
from unnp.units import BAR_PER_GPA
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.ensemble_config import SkOrder

_THERMO = "step time temp press pe ke vol f_momt f_momt[1] f_momt[2] f_momt[4] f_momt[7] f_momt[8]"


def world(system: System) -> list[str]:
    """Return the commands that come before the atoms."""
    return [command("units", "metal"), command("atom_style", "atomic"), command("boundary", system.boundary)]


def interactions(config: MomtConfig, system: System) -> list[str]:
    """Return potential and timestep."""
    return [
        "",
        *system.potential,
        "",
        command("timestep", f"{config.timestep / 1000:.10g}    # ps"),
        "",
    ]


def thermo(config: MomtConfig) -> list[str]:
    """Return the table that LAMMPS prints; behind fix momt, whose values are in it."""
    return [
        "",
        command("thermo_style", f"custom {_THERMO}"),
        command("thermo_modify", "flush yes format float %.10g"),
        command("thermo", str(config.pace * max(1, 1000 // config.pace))),
    ]


def velocities(temperature: float, seed: int | str) -> str:
    """Return the command that draws new velocities."""
    return command("velocity", f"all create {temperature:.10g} {seed} mom yes dist gaussian")


def ensemble(config: MomtConfig, temperature: float) -> list[str]:
    """Return the fix that moves atoms and cell; behind fix momt, whose forces and virial it must see."""
    if config.pressure is None:
        return [command("fix", "motion all nve")]
    pressure = f"{config.pressure * BAR_PER_GPA:.10g}"
    damping = (config.pressure_damping or 500 * config.timestep) / 1000
    arguments = f"{config.coupling} {pressure} {pressure} {damping:.10g} ptemp {temperature:.10g}"
    if config.coupling == "tri" and isinstance(config.order, SkOrder):
        arguments += " flip no"  # a flipped box has other edges, and the triplets of sk count waves along them
    return [command("fix", f"motion all nph {arguments}")]


def thermostat(config: MomtConfig, temperature: float, seed: str) -> str:
    """Return the fix of the thermostat."""
    default = 50 if config.thermostat == "csvr" else 500
    damping = (config.temperature_damping or default * config.timestep) / 1000
    arguments = f"{temperature:.10g} {temperature:.10g} {damping:.10g} {seed}"
    style = f"temp/csvr {arguments}" if config.thermostat == "csvr" else f"langevin {arguments} zero yes"
    return command("fix", f"thermostat all {style}")


def text(*lines: str) -> str:
    """Return a deck."""
    return "\n".join(lines) + "\n"
