"""``unnp kim``: the potentials of OpenKIM that are installed, and their EAM tables for LAMMPS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Potentials of OpenKIM: which are installed, and their EAM tables for LAMMPS.", no_args_is_help=True
)


@app.command(name="list")
def list_models(
    elements: Annotated[list[str] | None, typer.Argument(help="Only models that know all of these elements.")] = None,
    lammps: Annotated[bool, typer.Option("--lammps", help="Only models whose tables LAMMPS reads.")] = False,
) -> None:
    """List the installed models: elements, and the LAMMPS pair style that reads their tables."""
    from unnp.atoms.elements import Elements
    from unnp.cli.tables import print_table
    from unnp.errors import DataError
    from unnp.kim.eam import find_models, style_of
    from unnp.kim.models import INSTALL, installed_models

    n_installed = len(installed_models())
    if n_installed == 0:
        raise DataError(f"no OpenKIM models are installed. {INSTALL}")
    if elements:
        Elements(elements)
    found = [(model, style_of(model)) for model in find_models(elements or [])]
    rows = [[model.name, _shortened(model.elements), style] for model, style in found if style or not lammps]
    print_table("OpenKIM models", ["name", "elements", "pair style"], rows)
    print(f"{len(rows)} of {n_installed} installed models. With a pair style: `potential: {{kim: NAME}}`.")
    print("Labels from any of them: a calculator file with `kind: kim` and `model: NAME`.")


@app.command()
def extract(
    model: Annotated[str, typer.Argument(help="Name of an installed model, or its code, MO_047308317761_000.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the table.")] = Path(),
) -> None:
    """Write a model's EAM table and its bibliography to files, and show the LAMMPS commands that read the table."""
    from unnp.files.writing import make_folder, write_atomically
    from unnp.kim.eam import eam_table, write_table
    from unnp.kim.models import find_model

    found = find_model(model)
    table = eam_table(found)
    make_folder(output)
    file = write_table(table, output)
    print(f"{found.title or found.name}\nWrote {file} ({table.format}, {', '.join(table.elements)})")
    for name, content in found.metadata.items():
        if name.endswith(".bib"):
            write_atomically(output / name, content)
            print(f"Wrote {output / name}: cite it ({', '.join(found.citations)})")
    print(f"units           metal\npair_style      {table.pair_style}")
    print(f"pair_coeff      {table.pair_coeff([s for s in found.elements if s in table.elements])}")


def _shortened(elements: Sequence[str], most: int = 8) -> str:
    return " ".join(elements) if len(elements) <= most else f"{' '.join(elements[:most])} ... ({len(elements)})"
