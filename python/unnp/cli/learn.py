"""``unnp learn``: propose structures, select, label, train, judge, and again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unnp.cli.options import OutputFolder, Resume, Settings
from unnp.cli.stopping import resumable
from unnp.cli.tables import print_table


def command(
    config: Annotated[Path, typer.Argument(help="YAML file: propose, start, select, label, train, judge, stop ...")],
    output: OutputFolder = None,
    resume: Resume = False,
    compare: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]FOLDER",
            help="Another loop, whose errors compare.png shows beside, by name or selector; repeatable.",
        ),
    ] = None,
    settings: Settings = None,
) -> None:
    """Learn in rounds: structures are proposed, some are selected and labelled, and a committee learns them.

    The folder gets report.json, chosen.csv, errors.png, cost.png, coverage.png, and a folder for each round with its model.pt.
    Killed at any time, --resume goes on with the step that was not finished. Stopped by SIGTERM or Ctrl-C, the exit code is 75.
    """
    from unnp.config.overrides import load_with_overrides
    from unnp.workflows.learn.config import LearnConfig
    from unnp.workflows.learn.console import tables
    from unnp.workflows.learn.report import check_comparison, write_comparison
    from unnp.workflows.learn.rounds import read_rounds
    from unnp.workflows.learn.run import run_learning

    resolved = load_with_overrides(config, settings or [], LearnConfig)
    folder = output or Path(config.stem)
    check_comparison(resolved, compare or [])
    with resumable("learn", config, folder):
        report = run_learning(resolved, config.parent, folder, resume=resume)
    judges = {name: judge for name, (judge, _) in resolved.judges.items()}
    for title, header, rows in tables(read_rounds(folder), report["pool"], judges):
        print_table(title, header, rows)
    if compare:
        write_comparison(folder, compare)
    print(f"Models, report and figures: {folder}")
