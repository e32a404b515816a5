"""What the decks of all stages have in common."""

from __future__ import annotations

from unnp.lammps.commands import bath, command, number, piston, thermo_format, timestep
from unnp.lammps.system import System
from unnp.lammps.watching import watching_words, with_words
from unnp.workflows.momt.config import MomtConfig

# f_momt is the bias energy. The numbers are those of FixMomt::compute_vector (lammps_plugin/momt/fix_momt.cpp), from 1:
# enthalpy, order parameter, effective temperature, updates of the bias, round trips.
_THERMO = "step time temp press pe ke vol f_momt f_momt[1] f_momt[2] f_momt[4] f_momt[7] f_momt[8]"


def interactions(config: MomtConfig, system: System, captured: str = "") -> list[str]:
    """Return potential and timestep; a name of a file for captured frames makes the potential watch its deviations."""
    watching = watching_words(config.capture, config.stop, captured) if captured else ""
    return [
        "",
        *with_words(system, watching),
        "",
        timestep(config.timestep),
        "",
    ]


def thermo(config: MomtConfig) -> list[str]:
    """Return the table that LAMMPS prints; behind fix momt, whose values are in it."""
    return [
        "",
        command("thermo_style", f"custom {_THERMO}"),
        thermo_format(),
        command("thermo", str(config.pace * max(1, 1000 // config.pace))),
    ]


def ensemble(config: MomtConfig, temperature: float) -> list[str]:
    """Return the fix that moves atoms and cell; behind fix momt, whose forces and virial it must see."""
    if config.pressure is None:
        return [command("fix", "motion all nve")]
    damping = config.pressure_damping or 500 * config.timestep
    words = [piston(config.coupling, config.pressure, config.pressure, damping), f"ptemp {number(temperature)}"]
    if config.coupling == "tri":
        words += config.order.barostat_words()
    return [command("fix", f"motion all nph {' '.join(words)}")]


def thermostat(config: MomtConfig, temperature: float, seed: str) -> str:
    """Return the fix of the thermostat."""
    default = 50 if config.thermostat == "csvr" else 500
    arguments = f"{bath(temperature, temperature, config.temperature_damping or default * config.timestep)} {seed}"
    style = f"temp/csvr {arguments}" if config.thermostat == "csvr" else f"langevin {arguments} zero yes"
    return command("fix", f"thermostat all {style}")


def text(*lines: str) -> str:
    """Return a deck."""
    return "\n".join(lines) + "\n"
