"""``unnp relax``: structures at the nearest minimum of the energy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from unnp.cli.options import D3, Device, Fixed, FixedBelow, Head, Launcher, Lmp, Ranks, Resume, Threads, dispersion


def command(
    potential: Annotated[Path, typer.Argument(help="Exported model, or calculator file of `unnp data label` (.yaml).")],
    structures: Annotated[list[Path], typer.Argument(help="Structure files, all their frames, and stored data sets.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for structures, tables and figure.")],
    cell: Annotated[
        Literal["none", "volume", "all"], typer.Option(help="What of the cell relaxes with the atoms.")
    ] = "none",
    max_force: Annotated[float, typer.Option(help="Largest force left [eV/A]; of the cell in eV per atom.")] = 0.01,
    max_steps: Annotated[int, typer.Option(help="Steps of each structure after which its search ends.")] = 500,
    optimiser: Annotated[
        Literal["bfgs", "lbfgs", "fire", "lammps"],
        typer.Option(help="Optimiser of ASE, lbfgs for many atoms; or LAMMPS' own, for thousands, on several ranks."),
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
    """Relax structures, with or without their cells: energies, forces, how far they moved.

    Models are evaluated in float64. A structure that does not come to rest, or fails, is marked; the others go on. With
    --resume a run that was stopped goes on where it was, and with more --max-steps it goes further.
    """
    from unnp.adapters.potentials import identity
    from unnp.cli.movers import held_atoms, open_mover
    from unnp.cli.tables import print_table
    from unnp.config import from_dict
    from unnp.errors import printable
    from unnp.workflows.relaxation.config import RelaxationConfig
    from unnp.workflows.relaxation.report import HEADER, notes, rows
    from unnp.workflows.relaxation.run import run_relaxations
    from unnp.workflows.relaxation.structures import read_all

    given = {"cell": cell, "max_force": max_force, "max_steps": max_steps, "optimiser": optimiser}
    settings = from_dict(given, RelaxationConfig, where="the options")
    held = held_atoms(fixed, fixed_below)
    launch = {"ranks": ranks, "threads": threads, "launcher": launcher, "lmp": lmp}
    relaxations = run_relaxations(
        read_all(structures, held),
        open_mover(potential, head, optimiser, device, launch, dispersion(d3)),
        settings,
        output,
        potential=identity(potential, head, dispersion(d3)),
        resume=resume,
    )
    print_table(f"{potential.stem}: relaxed structures", HEADER, rows(relaxations))
    for note in notes(relaxations):
        print(printable(note))
    print(f"Structures, tables and figure: {output}")
