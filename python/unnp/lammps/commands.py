"""Commands and numbers that LAMMPS decks have in common. Given in K, GPa and fs; LAMMPS' units metal have bar and ps."""

from __future__ import annotations

from collections.abc import Sequence

from unnp.units import BAR_PER_GPA

DAMPING = 100
"""Timesteps over which a thermostat acts, where nothing is given."""
PRESSURE_DAMPING = 1000
"""Timesteps over which a barostat acts, where nothing is given."""
PER_LINE = 20
"""Number of ranges of atoms in a line of the deck."""
ALL_DIGITS = 17
"""Digits with which a number is read back as it was."""


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


def thermo_format(*options: str, digits: int = 10) -> str:
    """Return how rows of output are written: at once, and with ten digits; to be said again after each thermo_style."""
    return command("thermo_modify", " ".join(["flush yes", *options, f"format float %.{digits}g"]))


def fixed_groups(fixed: Sequence[int]) -> list[str]:
    """Return the commands that make the groups ``fixed`` and ``mobile``; ``fixed`` are ascending numbers from 1."""
    ranges = _ranges(fixed)
    lines = [
        command("group", f"fixed id {' '.join(ranges[k : k + PER_LINE])}") for k in range(0, len(ranges), PER_LINE)
    ]
    return [*lines, command("group", "mobile subtract all fixed")]


def hold_still(group: str) -> str:
    """Return the fix ``hold``, by which a minimiser does not move the atoms of a group; it moves all with a force."""
    return command("fix", f"hold {group} setforce 0.0 0.0 0.0")


def write_dump(file: str, columns: str = "") -> str:
    """Return the command that writes where the atoms are, not wrapped, and further columns behind; see ``dump_file``."""
    return command("write_dump", f"all custom {file} {dumped(columns)} modify {dump_format()}")


def dumped(columns: str = "") -> str:
    """Return the columns of a dump: atom, where it is, not wrapped, and further ones."""
    return f"id xu yu zu {columns}".rstrip()


def dump_format() -> str:
    """Return how atoms are dumped: in their order, with all digits."""
    return f"sort id format float %.{ALL_DIGITS}g"


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


def _ranges(numbers: Sequence[int]) -> list[str]:
    """Return ascending numbers as LAMMPS' ranges, ``1:4 7``."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return [f"{first}:{last}" if last > first else str(first) for first, last in ranges]
