"""What a training shows: a live bar and table on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from unnp.atoms.quantities import QUANTITIES
from unnp.train.log import Record

_PLAIN = {
    "epoch": ("epoch", "{:d}"),
    "minutes": ("min", "{:.1f}"),
    "learning_rate": ("rate", "{:.1e}"),
    "loss": ("loss", "{:.3e}"),
    "validation_loss": ("val. loss", "{:.3e}"),
}
ROWS = 10


def column(key: str) -> tuple[str, str] | None:
    """Return title and format of an entry of a record; None for one that is only in the log."""
    if key in _PLAIN:
        return _PLAIN[key]
    if key.startswith("share_"):
        name = key.removeprefix("share_")
        return f"{QUANTITIES[name].title if name in QUANTITIES else name} part", "{:.0%}"
    quantity = QUANTITIES.get(key.removesuffix("_mae"))
    if quantity is None or not key.endswith("_mae"):
        return None
    unit = quantity.errors_in[0]
    return f"{quantity.title} MAE {unit}", "{:.3f}" if unit.startswith("meV") else "{:.4f}"


class SilentConsole:
    """Shows nothing: for the processes beside the first."""

    def __enter__(self) -> SilentConsole:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def message(self, text: str) -> None:
        """Say something."""

    def batch(self, done: int, n_batches: int, fraction: float) -> None:
        """A batch of the running epoch is done; ``fraction`` of the training is over."""

    def epoch(self, record: Record) -> None:
        """An epoch is done."""


class PlainConsole(SilentConsole):
    """One line per epoch, for logs of a batch queue."""

    def message(self, text: str) -> None:
        print(text, flush=True)

    def epoch(self, record: Record) -> None:
        shown = ((column(key), value) for key, value in record.items())
        cells = [f"{found[0]} {found[1].format(value)}" for found, value in shown if found is not None]
        print("  ".join(cells), flush=True)


class LiveConsole(SilentConsole):
    """Bars for the training and its epoch above a table of the latest epochs."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._progress = Progress(
            TextColumn("{task.description:<8}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(elapsed_when_finished=False),
        )
        self._training = self._progress.add_task("training", total=1.0)
        self._epoch = self._progress.add_task("epoch", total=1.0)
        self._live = Live(self._picture(), refresh_per_second=4)

    def __enter__(self) -> LiveConsole:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def message(self, text: str) -> None:
        self._live.console.print(text, markup=False, highlight=False)

    def batch(self, done: int, n_batches: int, fraction: float) -> None:
        self._progress.update(self._training, completed=fraction)
        if done == 1:
            self._progress.reset(self._epoch)
        self._progress.update(self._epoch, completed=done / n_batches)

    def epoch(self, record: Record) -> None:
        self._records = [*self._records, record][-ROWS:]
        self._live.update(self._picture())

    def _picture(self) -> Group:
        table = Table(box=None, pad_edge=False)
        keys = dict.fromkeys(key for record in self._records for key in record)
        columns = {key: found for key in keys if (found := column(key)) is not None}
        for title, _ in columns.values():
            table.add_column(title, justify="right")
        for record in self._records:
            table.add_row(*(style.format(record[key]) if key in record else "" for key, (_, style) in columns.items()))
        return Group(self._progress, table)


def make_console(*, silent: bool) -> SilentConsole:
    """Return the console that fits: silent, live on a terminal, plain lines otherwise."""
    if silent:
        return SilentConsole()
    return LiveConsole() if Console(file=sys.stdout).is_terminal else PlainConsole()
