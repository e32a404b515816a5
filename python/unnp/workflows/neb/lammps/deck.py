"""The input deck of a band that LAMMPS' own ``neb`` moves, all images at once; it runs by itself."""

from __future__ import annotations

from unnp.lammps.commands import (
    ALL_DIGITS,
    command,
    dump_format,
    dumped,
    fixed_groups,
    hold_still,
    number,
    thermo_format,
    timestep,
    world,
    write_dump,
)
from unnp.lammps.system import System
from unnp.workflows.neb.band import BEFORE_CLIMBING
from unnp.workflows.neb.config import NebConfig
from unnp.workflows.relaxation.lammps.deck import FORCES

STEPS_BETWEEN = 10
"""Steps between dumps: how much of a search is lost at most where it is killed."""
LARGEST = "c_largest"
"""Column of the largest force on an atom of an image, across the path and of the springs."""
CLIMBS = "The highest image climbs from step "
"""What the logs say of it, before the number."""

_KEPT = 2
"""Dumps of an image that are kept: if one is being written, the one before is whole."""
_TIMESTEP = 5.0
"""Of the damped dynamics [fs], with which it begins; FIRE makes it longer and shorter."""


def band_deck(settings: NebConfig, system: System, n_images: int, shown: str, *, step: int, climbing: bool) -> str:
    """Return the deck that moves a band from its data files; each image is a partition of LAMMPS.

    The same band as ASE's ``NEB(method="improvedtangent")``: LAMMPS has these tangents, ``parallel neigh`` makes its springs
    act along them by differences of distances, and the ends do not move. FIRE moves the images, as ``neb`` takes damped
    dynamics only. Once no force is above some multiple of the limit, the highest image climbs.

    Args:
        settings: springs and limits.
        system: atoms and potential.
        n_images: the ends included.
        shown: how LAMMPS is started, for people.
        step: how many steps have been taken before.
        climbing: whether the highest image climbs already.
    """
    lines = [
        f"# {system.title}: the path of lowest energy, {n_images} images with the ends",
        f"# largest force {settings.max_force:g} eV/A, {settings.max_steps} steps",
        f"# Runs by itself: {shown}",
        "",
        *world(system.boundary),
        command("atom_modify", "map yes sort 0 0.0        # neb asks for it"),
        command("variable", f"image world {' '.join(map(str, range(n_images)))}"),
        command("read_data", data_of("${image}")),
        *([command("reset_timestep", str(step))] if step else []),
        "",
        *system.potential,
        command("neigh_modify", "every 1 delay 0 check yes"),
        write_dump(start_of("${image}")),
        "",
        *_forces(settings, system, n_images),
        "",
        timestep(_TIMESTEP),
        command("min_style", "fire"),
        command("min_modify", "norm max"),
        command("dump", f"kept all custom {STEPS_BETWEEN} {frame_of('${image}', '*')} {dumped(FORCES)}"),
        command("dump_modify", f"kept maxfiles {_KEPT} {dump_format()}"),
        "",
        *_search(settings, step, climbing),
        "",
        write_dump(frame_of("${image}", "$(step)"), FORCES),
    ]
    return "\n".join(lines) + "\n"


def data_of(image: object) -> str:
    """Return the name of the data file of an image."""
    return f"image.{image}.data"


def start_of(image: object) -> str:
    """Return the name of the dump of an image before the first step."""
    return f"start.{image}.dump"


def frame_of(image: object, step: object) -> str:
    """Return the name of the dump of an image at a step."""
    return f"image.{image}.{step}.dump"


def _forces(settings: NebConfig, system: System, n_images: int) -> list[str]:
    """Return the commands that make the forces of the band, and print the largest of each image."""
    still = "fix end all setforce 0.0 0.0 0.0"
    return [
        command("fix", "forces all store/force        # those of the potential, on atoms that are held too"),
        *([*fixed_groups(system.fixed), hold_still("fixed")] if system.fixed else []),
        command("partition", f"yes 1 {still}"),
        command("partition", f"yes {n_images} {still}"),
        command("fix", f"band all neb {number(settings.spring)} parallel neigh"),
        command("variable", "length atom sqrt(fx^2+fy^2+fz^2)"),
        command("compute", "largest all reduce max v_length"),
        command("thermo_style", f"custom step pe {LARGEST}"),
        thermo_format(digits=ALL_DIGITS),
        command("thermo", "1"),
    ]


def _search(settings: NebConfig, step: int, climbing: bool) -> list[str]:
    limit, last = number(settings.max_force), settings.max_steps
    if not settings.climb:
        return [_neb(limit, f"{last - step} 0")]
    before = number(BEFORE_CLIMBING * settings.max_force)
    climb = _neb(limit, f"0 $({last}-step)")
    return [
        *([] if climbing else [_neb(before, f"{last - step} 0")]),
        command("if", f'"$(step) < {last}" then "print \'{CLIMBS}$(step)\'" "{climb}"'),
    ]


def _neb(limit: str, steps: str) -> str:
    """Return the command for some steps without and some with a climbing image, printed one by one."""
    return command("neb", f"0.0 {limit} {steps} 1 none")
