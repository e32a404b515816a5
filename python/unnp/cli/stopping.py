"""What verbs that can be resumed say and return when they are asked to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from unnp.cli.tables import EXIT_INTERRUPTED


@contextmanager
def resumable(verb: str, config: Path, folder: Path) -> Iterator[None]:
    """Say how to go on, and exit with 75, where what is done within is stopped on request."""
    from unnp.train.validation import InterruptedTrainingError

    try:
        yield
    except (KeyboardInterrupt, InterruptedTrainingError):
        print(f"Stopped on request. Go on with: unnp {verb} {config} -o {folder} --resume (and the same --set, if any)")
        raise typer.Exit(EXIT_INTERRUPTED) from None
