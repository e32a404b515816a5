"""``unnp melt``: the melting point of a crystal on several routes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unnp.cli.options import DryRun, OutputFolder, Resume, Settings


def command(
    config: Annotated[Path, typer.Argument(help="YAML file: structure, potential, temperatures, routes ...")],
    output: OutputFolder = None,
    resume: Resume = False,
    dry_run: DryRun = False,
    settings: Settings = None,
) -> None:
    """Find the melting point by two-phase coexistence, interface pinning or multithermal sampling.

    The folder keeps every deck (each runs by itself), logs, figures with their data, and report.json. With --resume only
    what is not finished, or has changed, is run. Exit code 2 where a route found no melting point.
    """
    from unnp.cli.tables import print_table
    from unnp.config.overrides import load_with_overrides
    from unnp.errors import SamplingError
    from unnp.files.locks import hold_folder
    from unnp.lammps.dry_run import check_programs
    from unnp.workflows.melt.config import MeltConfig
    from unnp.workflows.melt.report import HEADER
    from unnp.workflows.melt.run import CONFIG_FILE, prepare, run_melt

    resolved = load_with_overrides(config, settings or [], MeltConfig)
    folder = output or Path(config.stem)
    if dry_run:
        check_programs(resolved)
        with hold_folder(folder):
            _, decks = prepare(resolved, config.parent, folder, resume=resume)
        print(f"Wrote {', '.join(map(str, decks)) or folder / CONFIG_FILE}")
        return
    report = run_melt(resolved, config.parent, folder, resume=resume)
    for name, result in report.results.items():
        for warning in (text for each in (*result.smaller, result) for text in each.warnings):
            print(f"{name}: {warning}")
    print_table(f"Melting point of {report.formula} at {resolved.pressure:g} GPa", HEADER, report.rows())
    for statement in (report.content()["finite_size"] or {}).get("statements", []):
        print(statement)
    print(f"Report and figures: {folder}")
    if report.failures:
        raise SamplingError("; ".join(f"no melting point from {name}: {why}" for name, why in report.failures.items()))
