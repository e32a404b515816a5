"""What a training shows: a live bar and table on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from unnp.train.config import TrainConfig
from unnp.train.log import Record

COLUMNS = {
    "epoch": ("epoch", "{:d}"),
    "minutes": ("min", "{:.1f}"),
    "learning_rate": ("rate", "{:.1e}"),
    "loss": ("loss", "{:.3e}"),
    "validation_loss": ("val. loss", "{:.3e}"),
    "energy_mae": ("E MAE meV/atom", "{:.3f}"),
    "forces_mae": ("F MAE eV/A", "{:.4f}"),
    "stress_mae": ("stress MAE GPa", "{:.4f}"),
}
ROWS = 10


class SilentConsole:
    """Shows nothing: for the processes beside the first."""

    def __enter__(self) -> SilentConsole:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def message(self, text: str) -> None:
        """Say something."""

    def batch(self, epoch: int, done: int, n_batches: int) -> None:
        """A batch is done."""

    def epoch(self, record: Record) -> None:
        """An epoch is done."""


class PlainConsole(SilentConsole):
    """One line per epoch, for logs of a batch queue."""

    def message(self, text: str) -> None:
        print(text, flush=True)

    def epoch(self, record: Record) -> None:
        cells = [f"{title} {style.format(record[key])}" for key, (title, style) in COLUMNS.items() if key in record]
        print("  ".join(cells), flush=True)


class LiveConsole(SilentConsole):
    """Bars for the training and its epoch above a table of the latest epochs."""

    def __init__(self, config: TrainConfig) -> None:
        self._records: list[Record] = []
        self._columns: list[Any] = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
        self._progress = Progress(*self._columns, TimeElapsedColumn(), TimeRemainingColumn())
        self._training = self._progress.add_task("training", total=config.epochs)
        self._epoch = self._progress.add_task("epoch", total=None)
        self._live = Live(self._picture(), refresh_per_second=4)

    def __enter__(self) -> LiveConsole:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def message(self, text: str) -> None:
        self._live.console.print(text, markup=False, highlight=False)

    def batch(self, epoch: int, done: int, n_batches: int) -> None:
        self._progress.update(self._training, completed=epoch)
        self._progress.update(self._epoch, completed=done, total=n_batches)

    def epoch(self, record: Record) -> None:
        self._records = [*self._records, record][-ROWS:]
        self._progress.update(self._training, completed=record["epoch"])
        self._live.update(self._picture())

    def _picture(self) -> Group:
        table = Table(box=None, pad_edge=False)
        for title, _ in COLUMNS.values():
            table.add_column(title, justify="right")
        for record in self._records:
            table.add_row(*(style.format(record[k]) if k in record else "" for k, (_, style) in COLUMNS.items()))
        return Group(self._progress, table)


def make_console(config: TrainConfig, *, silent: bool) -> SilentConsole:
    """Return the console that fits: silent, live on a terminal, plain lines otherwise."""
    if silent:
        return SilentConsole()
    return LiveConsole(config) if Console(file=sys.stdout).is_terminal else PlainConsole()
