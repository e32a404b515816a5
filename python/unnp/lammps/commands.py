"""Commands and numbers that LAMMPS decks have in common. Given in K, GPa and fs; LAMMPS' units metal have bar and ps."""

from __future__ import annotations

from unnp.units import BAR_PER_GPA

DAMPING = 100
"""Timesteps over which a thermostat acts, where nothing is given."""
PRESSURE_DAMPING = 1000
"""Timesteps over which a barostat acts, where nothing is given."""


def command(word: str, arguments: str) -> str:
    """Return a line of a deck, its arguments in a column."""
    return f"{word:<15} {arguments}"


def number(value: float) -> str:
    """Return a number with as many digits as a deck needs."""
    return f"{value:.10g}"


def bar(gigapascals: float) -> str:
    """Return a pressure in bar."""
    return number(gigapascals * BAR_PER_GPA)


def picoseconds(femtoseconds: float) -> str:
    """Return a time in ps."""
    return number(femtoseconds / 1000)


def world(boundary: str) -> list[str]:
    """Return the commands before the atoms; ``boundary`` are the arguments of that command."""
    return [command("units", "metal"), command("atom_style", "atomic"), command("boundary", boundary)]


def timestep(femtoseconds: float) -> str:
    """Return the command of the timestep."""
    return command("timestep", f"{picoseconds(femtoseconds)}    # ps")


def thermo_format(*options: str) -> str:
    """Return how rows of output are written: at once, and with ten digits; to be said again after each thermo_style."""
    return command("thermo_modify", " ".join(["flush yes", *options, "format float %.10g"]))


def draw_velocities(kelvin: float, seed: int | str, group: str = "all", options: str = "mom yes dist gaussian") -> str:
    """Return the command that draws the velocities of a group."""
    return command("velocity", f"{group} create {number(kelvin)} {seed} {options}")


def bath(start: float, stop: float, damping: float) -> str:
    """Return the arguments of a thermostat: temperatures at start and end, and its relaxation time [fs]."""
    return f"{number(start)} {number(stop)} {picoseconds(damping)}"


def piston(coupling: str, start: float, stop: float, damping: float) -> str:
    """Return the arguments of a barostat.

    Args:
        coupling: iso, aniso, tri, or a direction.
        start, stop: pressure at start and end [GPa].
        damping: relaxation time [fs].
    """
    return f"{coupling} {bar(start)} {bar(stop)} {picoseconds(damping)}"
