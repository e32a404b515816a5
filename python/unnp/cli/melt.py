"""``unnp melt``: the melting point of a crystal on several routes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    config: Annotated[Path, typer.Argument(help="YAML file: structure, potential, temperatures, routes ...")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder of the run; default: the name of CONFIG without ending."),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Write the cell and the first decks, run nothing.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting, e.g. ranks=4.")
    ] = None,
) -> None:
    """Find the melting point by two-phase coexistence, interface pinning or multithermal sampling.

    The folder keeps every deck (each runs by itself), logs, figures with their data, and report.json. Called again with
    the same folder it goes on where it was interrupted. Exit code 2 where a route found no melting point.
    """
    from unnp.cli.tables import print_table
    from unnp.config.overrides import load_with_overrides
    from unnp.errors import SamplingError
    from unnp.files.locks import hold_folder
    from unnp.lammps.dry_run import check_programs
    from unnp.workflows.melt.config import MeltConfig
    from unnp.workflows.melt.report import HEADER
    from unnp.workflows.melt.run import prepare, run_melt

    resolved = load_with_overrides(config, settings or [], MeltConfig)
    folder = output or Path(config.stem)
    if dry_run:
        check_programs(resolved)
        with hold_folder(folder):
            crystal = prepare(resolved, config.parent, folder)
        print(f"Wrote {folder}: {len(crystal.atoms)} atoms, first decks in {folder}/cells")
        return
    report = run_melt(resolved, config.parent, folder)
    for name, result in report.results.items():
        for warning in (text for each in (*result.smaller, result) for text in each.warnings):
            print(f"{name}: {warning}")
    print_table(f"Melting point of {report.formula} at {resolved.pressure:g} GPa", HEADER, report.rows())
    for statement in (report.content()["finite_size"] or {}).get("statements", []):
        print(statement)
    print(f"Report and figures: {folder}")
    if report.failures:
        raise SamplingError("; ".join(f"no melting point from {name}: {why}" for name, why in report.failures.items()))
