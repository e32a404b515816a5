"""`unnp learn`: rounds until the loop is over, resumable after any interruption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unnp.config import dump_yaml
from unnp.config.resume import check_run
from unnp.files.locks import hold_folder
from unnp.files.writing import write_atomically
from unnp.train.signals import stopped_by_signals
from unnp.workflows.learn.config import LearnConfig
from unnp.workflows.learn.loop import Loop
from unnp.workflows.learn.report import CONFIG_FILE, write_report
from unnp.workflows.learn.rounds import has_labelled


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
    check_run(config, folder / CONFIG_FILE, resume=resume, fixed=["label"] if has_labelled(folder) else [])
    loop = Loop(config, base.absolute(), folder.absolute())
    with hold_folder(folder), stopped_by_signals(), loop.executor:
        loop.check_label()
        write_atomically(folder / CONFIG_FILE, dump_yaml(config))
        for _ in loop.rounds():
            write_report(folder, loop.finished(), len(loop.pool))
        return write_report(folder, loop.finished(), len(loop.pool), loop)
