"""``unnp neb``: the path of lowest energy between two states, and its barrier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from unnp.cli.options import D3, Device, Fixed, FixedBelow, Head, Launcher, Lmp, Ranks, Resume, Threads, dispersion

if TYPE_CHECKING:
    from unnp.workflows.neb.band import Band


def command(
    potential: Annotated[Path, typer.Argument(help="Exported model, or calculator file of `unnp data label` (.yaml).")],
    structures: Annotated[
        list[Path],
        typer.Argument(help="Start and end, the last frame of each file; or one file, or more than two, with a path."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for path, tables and figures.")],
    images: Annotated[int, typer.Option(help="Images between two ends.")] = 5,
    interpolation: Annotated[
        Literal["idpp", "linear"], typer.Option(help="How images are set between two ends.")
    ] = "idpp",
    climb: Annotated[bool, typer.Option(help="Let the highest image climb to the saddle point.")] = True,
    relax_ends: Annotated[bool, typer.Option(help="Relax the ends first.")] = True,
    spring: Annotated[float, typer.Option(help="Constant of the springs between images [eV/A^2].")] = 0.1,
    max_force: Annotated[float, typer.Option(help="Largest force left [eV/A].")] = 0.05,
    max_steps: Annotated[int, typer.Option(help="Steps of the band, and of each end, after which it ends.")] = 500,
    divide: Annotated[
        int, typer.Option(help="How often to divide the path at minima, each part a band of its own.")
    ] = 0,
    optimiser: Annotated[
        Literal["bfgs", "lbfgs", "fire", "lammps"],
        typer.Option(
            help="Optimiser of ASE, fire for a band that starts badly; or LAMMPS' own neb, all images at once."
        ),
    ] = "bfgs",
    fixed: Fixed = "file",
    fixed_below: FixedBelow = None,
    resume: Resume = False,
    device: Device = "auto",
    head: Head = None,
    d3: D3 = None,
    ranks: Ranks = None,
    threads: Threads = None,
    launcher: Launcher = None,
    lmp: Lmp = None,
) -> None:
    """Find the path of lowest energy between two states: barriers forward and back, reaction energy.

    Nudged elastic band with a climbing image, models in float64. With --resume a run that was stopped goes on, and further
    with more --max-steps; a larger --divide divides it.
    """
    from unnp.adapters.potentials import identity
    from unnp.cli.movers import held_atoms, open_mover
    from unnp.config import from_dict
    from unnp.workflows.neb.config import NebConfig
    from unnp.workflows.neb.divided import run_divided
    from unnp.workflows.neb.path import read_path

    given = {
        "images": images, "interpolation": interpolation, "climb": climb, "relax_ends": relax_ends, "spring": spring,
        "max_force": max_force, "max_steps": max_steps, "optimiser": optimiser, "divide": divide,
    }  # fmt: skip
    settings = from_dict(given, NebConfig, where="the options")
    held = held_atoms(fixed, fixed_below)
    states = read_path(structures, held)
    launch = {"ranks": ranks, "threads": threads, "launcher": launcher, "lmp": lmp}
    mover = open_mover(potential, head, optimiser, device, launch, dispersion(d3))
    known = identity(potential, head, dispersion(d3))
    band = run_divided(states, mover, settings, output, potential=known, resume=resume)
    _say(f"{potential.stem}: {states[0].get_chemical_formula()}", band)
    print(f"Path, tables and figures: {output}")


def _say(title: str, band: Band) -> None:
    from unnp.cli.tables import print_table
    from unnp.errors import printable
    from unnp.workflows.neb.report import notes, rows

    print_table(title, ["", ""], rows(band))
    for note in notes(band):
        print(printable(note))
