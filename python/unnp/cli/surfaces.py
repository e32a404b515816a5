"""``unnp surfaces``: surface energies of potentials beside labels or a reference potential."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unnp.cli.options import OutputFolder, Resume, Settings


def command(
    config: Annotated[Path, typer.Argument(help="YAML file: potentials, slabs, reference.")],
    output: OutputFolder = None,
    resume: Resume = False,
    settings: Settings = None,
) -> None:
    """Compute surface energies of slabs, unrelaxed and relaxed, for a list of potentials.

    Slabs come from files, or are cut from crystals (of elements, or in files) along planes with Miller indices up to 3. The
    folder gets surfaces.json, surfaces.csv, parity.png, errors.png and triangles.png with their data. With --resume a run that
    was stopped goes on, also with further potentials.
    """
    from unnp.cli.tables import print_table
    from unnp.config.overrides import load_with_overrides
    from unnp.errors import printable
    from unnp.workflows.surfaces.config import SurfacesConfig
    from unnp.workflows.surfaces.report import ERRORS, error_rows, rows
    from unnp.workflows.surfaces.run import run_surfaces

    resolved = load_with_overrides(config, settings or [], SurfacesConfig)
    folder = output or Path(config.stem)
    result = run_surfaces(resolved, config.parent, folder, resume=resume)
    print_table("surface energies [J/m^2], in brackets with atoms at rest", *rows(result.slabs, result.measured))
    if result.pairs:
        print_table(f"errors, reference: {resolved.reference}", ERRORS, error_rows(result.pairs))
    for note in result.notes:
        print(printable(note))
    print(f"Tables and figures: {folder}")
