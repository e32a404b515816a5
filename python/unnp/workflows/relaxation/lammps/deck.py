"""The input deck of a relaxation by LAMMPS' own minimiser; it runs by itself."""

from __future__ import annotations

from unnp.lammps.commands import (
    ALL_DIGITS,
    command,
    fixed_groups,
    hold_still,
    number,
    thermo_format,
    world,
    write_dump,
)
from unnp.lammps.system import DATA_FILE, System
from unnp.units import BAR_PER_EV_PER_A3
from unnp.workflows.relaxation.config import RelaxationConfig

START_FILE, END_FILE = "start.dump", "end.dump"
"""Where the atoms are at the beginning and at the end, as LAMMPS turns and wraps them."""
RESTART_FILES = ("restart.a", "restart.b")
STEPS_BETWEEN = 10
"""Steps between restart files: how much of a search is lost at most where it is killed."""
FORCES = "f_forces[1] f_forces[2] f_forces[3]"
"""Columns of a dump with the forces of the potential, those on fixed atoms too."""
FORCE = "v_force"
"""Column of the largest force, that of the cell among them."""
PRESSURES = ("pxx", "pyy", "pzz", "pxy", "pxz", "pyz")

_BOX = {"volume": "iso", "all": "tri"}
_ATOM_STEPS, _CELL_STEPS = 50, 20
"""Steps at most of a turn of the atoms, and of one of the cell."""
_LARGEST_CHANGE = 0.01
"""Fraction of its volume by which the cell changes in a step at most."""
_EVALUATIONS = 1_000_000_000
_STANDS_STILL = 1e-9
"""Relative change of the largest force below which a whole turn has done nothing: no line search found a lower energy."""


def relaxation_deck(settings: RelaxationConfig, system: System, shown: str, restart: str | None = None) -> str:
    """Return the deck that goes on to the minimum from the data file, or from a restart file.

    LAMMPS minimises again and again, until the largest force, counted as ASE's optimisers count it, is below the limit,
    the last step is done, or nothing moves any more. Where the cell relaxes, it and the atoms take turns: in one search
    for both the cell is stiffer than an atom by the number of atoms, and conjugate gradients crawl.

    Args:
        settings: limits, and what of the cell relaxes.
        system: atoms and potential.
        shown: how LAMMPS is started, for people.
        restart: file to go on from, None at the beginning.
    """
    begin = [*world(system.boundary), command("read_data", DATA_FILE)]
    lines = [
        f"# {system.title}: the nearest minimum of the energy",
        f"# largest force {settings.max_force:g} eV/A, {settings.max_steps} steps, cell: {settings.cell}",
        f"# Runs by itself: {shown}",
        "",
        *([command("read_restart", restart)] if restart else begin),
        "",
        *system.potential,
        command("neigh_modify", "every 1 delay 0 check yes"),
        "",
        *_measured(settings, system),
        "",
        command("min_style", "cg"),
        command("min_modify", "norm max"),
        command("restart", f"{STEPS_BETWEEN} {' '.join(RESTART_FILES)}"),
        command("run", "0 post no"),
        *([] if restart else [write_dump(START_FILE)]),
        "",
        *_search(settings, system.n_atoms),
        "",
        write_dump(END_FILE, FORCES),
        command("write_restart", "end.restart"),
    ]
    return "\n".join(lines) + "\n"


def _measured(settings: RelaxationConfig, system: System) -> list[str]:
    """Return the commands that hold the fixed atoms and print the largest force."""
    mobile = "mobile" if system.fixed else "all"
    return [
        command("fix", "forces all store/force        # those on atoms that are held too"),
        *([*fixed_groups(system.fixed), hold_still("fixed")] if system.fixed else []),
        command("variable", "length atom sqrt(f_forces[1]^2+f_forces[2]^2+f_forces[3]^2)"),
        command("compute", f"largest {mobile} reduce max v_length"),
        *_force_of_cell(settings.cell),
        command("thermo_style", f"custom step pe {FORCE} {' '.join(PRESSURES)}"),
        thermo_format(digits=ALL_DIGITS),
        command("thermo", "1"),
    ]


def _force_of_cell(cell: str) -> list[str]:
    """Return the variable ``force`` [eV/A]: of the cell, the longest row of stress times volume per atom [eV] counts."""
    if cell == "none":
        return [command("variable", "force equal c_largest")]
    per_atom = f"*vol/atoms/{number(BAR_PER_EV_PER_A3)}"
    if cell == "volume":
        rows = [command("variable", f"stress equal abs(pxx+pyy+pzz)/3{per_atom}")]
    else:
        columns = {"x": "pxx^2+pxy^2+pxz^2", "y": "pxy^2+pyy^2+pyz^2", "z": "pxz^2+pyz^2+pzz^2"}
        rows = [command("variable", f"{name} equal sqrt({squares}){per_atom}") for name, squares in columns.items()]
        rows += [
            command("variable", "xy equal ternary(v_x>v_y,v_x,v_y)"),
            command("variable", "stress equal ternary(v_xy>v_z,v_xy,v_z)"),
        ]
    return [*rows, command("variable", "force equal ternary(c_largest>v_stress,c_largest,v_stress)")]


def _search(settings: RelaxationConfig, n_atoms: int) -> list[str]:
    limit, last = number(settings.max_force), settings.max_steps
    return [
        command("label", "turn"),
        command("variable", "before equal ${force}"),
        command("if", f'"(${{force}} <= {limit}) || ($(step) >= {last})" then "jump SELF end"'),
        *(_turns(settings, n_atoms) if settings.cell in _BOX else [_minimise(limit, f"$({last}-step)")]),
        # a line search that fails leaves everything as it was
        command("if", f'"$(abs(v_force/v_before-1)) > {_STANDS_STILL:g}" then "jump SELF turn"'),
        command("label", "end"),
    ]


def _turns(settings: RelaxationConfig, n_atoms: int) -> list[str]:
    """Return one turn of the cell, with which the atoms move, and one of the atoms."""
    limit, last = number(settings.max_force), settings.max_steps
    return [
        command("fix", f"box all box/relax {_BOX[settings.cell]} 0.0 vmax {_LARGEST_CHANGE:g}"),
        hold_still("all"),
        _minimise(number(settings.max_force * n_atoms / 2), _left(last, _CELL_STEPS)),
        command("unfix", "hold"),
        command("unfix", "box"),
        _minimise(limit, _left(last, _ATOM_STEPS)),
    ]


def _left(last: int, most: int) -> str:
    """Return LAMMPS' words for the number of steps that are left, but not more than some."""
    return f"$(ternary({last}-step<{most},{last}-step,{most}))"


def _minimise(limit: str, steps: str) -> str:
    return command("minimize", f"0.0 {limit} {steps} {_EVALUATIONS}")
