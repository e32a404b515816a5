"""``unnp benchmark``: architectures and potentials compared on one data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unnp.cli.options import OutputFolder, Resume, Settings
from unnp.cli.stopping import resumable
from unnp.cli.tables import print_table


def command(
    config: Annotated[Path, typer.Argument(help="YAML file: data, models, training, seeds, cost.")],
    output: OutputFolder = None,
    resume: Resume = False,
    settings: Settings = None,
) -> None:
    """Train architectures with several seeds under one budget, judge them on test structures, and time them in LAMMPS.

    Potentials that are there (exported models, pair styles of LAMMPS, OpenKIM) stand in the same table. The folder gets
    results.json, results.csv, table.md, accuracy-cost.png and learning-curves.png, and every run. On SIGTERM or SIGINT a
    checkpoint is written and the exit code is 75; --resume goes on there, also with further contestants and seeds.
    """
    from unnp.config.overrides import load_with_overrides
    from unnp.workflows.benchmark.config import BenchmarkConfig
    from unnp.workflows.benchmark.report import notes, table
    from unnp.workflows.benchmark.run import run_benchmark

    resolved = load_with_overrides(config, settings or [], BenchmarkConfig)
    folder = output or Path(config.stem)
    with resumable("benchmark", config, folder):
        results = run_benchmark(resolved, config.parent, folder, resume=resume)
    header, rows = table(resolved, results)
    print_table("Errors on the test structures, and costs (published errors in brackets)", header, rows)
    for note in notes(results):
        print(note)
    print(f"Tables, figures and runs: {folder}")
