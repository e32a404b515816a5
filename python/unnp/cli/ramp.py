"""``unnp ramp``: heat a crystal until it melts and quench the melt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from unnp.cli.options import DryRun, OutputFolder, Resume, Settings


def command(
    config: Annotated[Path, typer.Argument(help="YAML file: structure, potential, temperatures, rate ...")],
    output: OutputFolder = None,
    resume: Resume = False,
    dry_run: DryRun = False,
    settings: Settings = None,
) -> None:
    """Heat a crystal until it melts, and quench the melt, at constant pressure.

    The folder keeps the deck (in.lammps, runs by itself) and logs, and gets ramp.json with the limits of superheating
    and undercooling, and the figures ramp, structure and rdf (.png with .csv).
    """
    from unnp.config.overrides import load_with_overrides
    from unnp.files.locks import hold_folder
    from unnp.lammps.dry_run import check_programs
    from unnp.workflows.ramp.config import RampConfig
    from unnp.workflows.ramp.run import prepare, run_ramp

    resolved = load_with_overrides(config, settings or [], RampConfig)
    folder = output or Path(config.stem)
    if dry_run:
        check_programs(resolved)
        with hold_folder(folder):
            prepare(resolved, config.parent, folder)
        print(f"Wrote {folder}/in.lammps")
        return
    _print(run_ramp(resolved, config.parent, folder, resume=resume).summary)
    print(f"Run folder: {folder}")


def _print(summary: dict[str, Any]) -> None:
    from unnp.cli.tables import print_table

    for warning in summary["warnings"]:
        print(f"Note: {warning}")
    rows = [
        [phase["leg"], phase["label"], f"{phase['from_K']:.0f} to {phase['to_K']:.0f}", str(phase["n_bins"])]
        for phase in summary["phases"]
    ]
    print_table(summary["title"], ["leg", "phase", "temperature [K]", "bins"], rows)
    for name in ("superheating_limit", "undercooling_limit"):
        limit = summary[name]
        value = "" if limit["temperature_K"] is None else f"{limit['temperature_K']:.0f} +- {limit['error_K']:.0f} K: "
        print(f"{name.replace('_', ' ').capitalize()}: {value}{limit['reason']}")
    estimate = summary["melting_estimate"]
    value = "" if estimate["temperature_K"] is None else f"{estimate['temperature_K']:.0f} K, "
    print(f"Melting point: {value}{estimate['reason']}")
