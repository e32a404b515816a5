"""``unnp train``: from a configuration and labelled structures to a run folder."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from unnp.cli.options import Resume, Settings
from unnp.cli.tables import EXIT_INTERRUPTED, print_table


def command(
    config: Annotated[Path, typer.Argument(help="YAML file with the settings.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Run folder.")],
    resume: Resume = False,
    settings: Settings = None,
) -> None:
    """Train a potential, or with `seeds: [0, 1, 2]` in CONFIG a committee.

    Each member of a committee has its own run folder in OUTPUT, seed-N; errors.csv there compares them.

    The run folder gets the resolved config.yaml, log.jsonl and log.csv, checkpoints, figures and a model card. On
    SIGTERM, SIGINT or SIGUSR1 a checkpoint is written and the exit code is 75; --resume goes on exactly there. Exit
    code 2 is an error. Several processes: torchrun --nproc-per-node N -m unnp train ...
    """
    from unnp.config.overrides import load_with_overrides
    from unnp.evaluate.card import error_header, error_table
    from unnp.train.committee import train_committee
    from unnp.train.config import TrainConfig
    from unnp.train.run import train
    from unnp.train.spread import rows
    from unnp.train.validation import InterruptedTrainingError

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    resolved = load_with_overrides(config, settings or [], TrainConfig)
    try:
        if resolved.seeds is None:
            metrics = train(resolved, output, resume=resume, base=config.parent)
            tables = {part: (error_header(errors, "\n"), error_table(errors)) for part, errors in metrics.items()}
        else:
            spread = train_committee(resolved, output, resume=resume, base=config.parent)
            tables = {part: rows(table) for part, table in spread.items()}
    except InterruptedTrainingError:
        if os.environ.get("RANK", "0") == "0":  # one of the processes of torchrun speaks for all
            print(
                f"Stopped on request; the checkpoint is written. Go on with: unnp train {config} -o {output} --resume"
            )
        raise typer.Exit(EXIT_INTERRUPTED) from None
    for part, (header, cells) in tables.items():
        print_table(f"Errors on the {part} structures", header, cells)
    if tables:
        print(f"Run folder: {output}. Next: unnp export {output} -o model.pt")
