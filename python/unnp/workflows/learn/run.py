"""`unnp learn`: rounds until the loop is over, resumable after any interruption."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from unnp.config import dump_yaml, load_yaml
from unnp.config.resume import refusal
from unnp.errors import ConfigError
from unnp.files.locks import hold_folder
from unnp.files.writing import write_atomically
from unnp.workflows.learn.config import LearnConfig
from unnp.workflows.learn.loop import Loop
from unnp.workflows.learn.report import CONFIG_FILE, write_report


def run_learning(config: LearnConfig, base: Path, folder: Path, *, resume: bool = False) -> dict[str, Any]:
    """Run a loop to its end, or on from where it was stopped, and return its report.

    The folder gets ``learn.yaml``, a folder ``round-NNN`` for each round, and, written anew after each of them,
    ``report.json``, ``chosen.csv`` and figures.

    Args:
        config: the loop.
        base: where relative paths in it begin.
        folder: of the run.
        resume: go on: what is finished is not done again.

    Raises:
        ConfigError: wrong settings, or others than the run has begun with.
        DataError: structures cannot be read or labelled.
        TrainingError: a training cannot go on; what is finished is kept.
        UnnpError: another process works in the folder, or it cannot be written.
        KeyboardInterrupt: the process was asked to stop, by Ctrl-C or SIGTERM.
    """
    _check_folder(config, folder, resume)
    loop = Loop(config, base.absolute(), folder.absolute())
    with hold_folder(folder), stopped_by_signals():
        write_atomically(folder / CONFIG_FILE, dump_yaml(config))
        for _ in loop.rounds():
            write_report(folder, loop.finished(), len(loop.pool))
        return write_report(folder, loop.finished(), len(loop.pool), loop)


def _check_folder(config: LearnConfig, folder: Path, resume: bool) -> None:
    path = folder / CONFIG_FILE
    if path.is_file() and not resume:
        raise ConfigError(f"{folder} already holds a loop; go on with --resume, or name another folder with -o.")
    if resume and not path.is_file():
        raise ConfigError(f"{folder} holds no loop that could be resumed (no {CONFIG_FILE}); leave out --resume.")
    if resume and (reason := refusal(config, load_yaml(path, LearnConfig), folder)):
        raise ConfigError(reason)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Take SIGTERM as Ctrl-C, so that the processes of an executor are ended before this one."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
