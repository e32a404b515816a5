"""``unnp inject``: knowledge of empirical potentials, injected into the training of networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unnp.cli.options import OutputFolder, Resume, Settings
from unnp.cli.stopping import resumable
from unnp.cli.tables import print_table


def command(
    config: Annotated[Path, typer.Argument(help="YAML file: data, potentials, architectures, methods, training ...")],
    output: OutputFolder = None,
    resume: Resume = False,
    settings: Settings = None,
) -> None:
    """Train networks on few labels, helped by empirical potentials: with labels they give, or begun from what they teach.

    Label augmentation, multi-task pretraining, both and neither are compared for each architecture, with error bars over seeds.
    The folder gets results.json, table.md, the tables as CSV, figures, and every run. Killed at any
    time, --resume goes on, also with further seeds, methods and architectures. Stopped by SIGTERM or Ctrl-C, the exit code
    is 75.
    """
    from unnp.workflows.inject.config import load_injection
    from unnp.workflows.inject.differences import difference_table
    from unnp.workflows.inject.report import choice_table, method_table, potential_table
    from unnp.workflows.inject.run import run_injection

    resolved = load_injection(config, settings or [])
    folder = output or Path(config.stem)
    with resumable("inject", config, folder):
        report = run_injection(resolved, config.parent, folder, resume=resume)
    print_table("Potentials: errors of aligned energies, and where they are nearest", *potential_table(report))
    if report.choices:
        print_table("What the classifiers chose", *choice_table(report, brief=True))
    print_table("Errors on the test structures, and gains", *method_table(report))
    if report.differences:
        print_table("What variants of methods change", *difference_table(report.differences))
    print(f"Tables, figures and runs: {folder}")
