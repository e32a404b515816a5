"""Options that the verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from unnp.adapters.dispersion import D3Config

OutputFolder = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Folder of the run; default: the name of CONFIG without ending."),
]
Resume = Annotated[
    bool,
    typer.Option(help="Go on with the run in the folder: after an interruption, or further than it went."),
]
Device = Annotated[str, typer.Option(help="Where a model runs: auto, cpu, cuda or cuda:N.")]
Head = Annotated[str | None, typer.Option(help="Level of theory of the model; default: its first.")]
D3 = Annotated[
    str | None,
    typer.Option(
        "--d3", metavar="FUNCTIONAL", help="Add D3 dispersion with the parameters of a functional, as pbe (extra `d3`)."
    ),
]
ReferenceD3 = Annotated[str | None, typer.Option(metavar="FUNCTIONAL", help="The same for the reference potential.")]
Fixed = Annotated[
    Literal["file", "none"], typer.Option(help="Atoms that do not move: those that the file fixes, or none.")
]
FixedBelow = Annotated[float | None, typer.Option(metavar="Z", help="Fix atoms below this height [A].")]
Ranks = Annotated[int | None, typer.Option(help="MPI processes of LAMMPS, of each image for a band; default: 1.")]
Threads = Annotated[int | None, typer.Option(help="Threads of each process of LAMMPS; default: 1.")]
Launcher = Annotated[
    str | None, typer.Option(help="Command that starts the processes of LAMMPS; default: 'mpirun -n {ranks}'.")
]
Lmp = Annotated[str | None, typer.Option(help="Name or path of LAMMPS; default: lmp.")]
DryRun = Annotated[bool, typer.Option(help="Write what the run begins with, its first decks, and run nothing.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a setting; a dot leads into a table: KEY.SUBKEY=VALUE."),
]
Read = Annotated[
    list[str] | None,
    typer.Option(
        "--read",
        metavar="KEY=VALUE",
        help="How to read files, e.g. energy_key=dft_energy, stress_unit=GPa, missing=allow, format=lammps-data, "
        "elements='[Al, Ni]' for LAMMPS types.",
    ),
]


def read_options(settings: list[str] | None, **defaults: Any) -> Any:
    """Return the ReadOptions of ``--read KEY=VALUE``, on top of the verb's defaults."""
    from unnp.config import from_dict
    from unnp.config.overrides import apply_settings
    from unnp.data.readers import ReadOptions

    return from_dict(apply_settings(defaults, settings or [], option="--read"), ReadOptions, where="--read")


def dispersion(functional: str | None) -> D3Config | None:
    """Return the settings of ``--d3 FUNCTIONAL``: damping and cutoffs are the defaults; None: no D3."""
    from unnp.adapters.dispersion import D3Config
    from unnp.config import from_dict

    return None if functional is None else from_dict({"functional": functional}, D3Config, where="--d3")
