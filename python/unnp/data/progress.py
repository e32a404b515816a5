"""Progress of counted work: a bar on a terminal, a plain line now and then in a batch queue."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SECONDS_BETWEEN_LINES = 20.0


@contextmanager
def counting(title: str, total: int, done: int = 0) -> Iterator[Callable[[], None]]:
    """Show progress inside a ``with`` block, which gets the function to call after each finished item.

    Args:
        title: what is done.
        total: number of items.
        done: items that were finished before.
    """
    from rich.console import Console

    if Console(file=sys.stdout).is_terminal:
        with _bar(title, total, done) as advance:
            yield advance
    else:
        yield _Lines(title, total, done).advance


@contextmanager
def _bar(title: str, total: int, done: int) -> Iterator[Callable[[], None]]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn()) as progress:
        task = progress.add_task(title, total=total, completed=done)
        yield lambda: progress.advance(task)


class _Lines:
    def __init__(self, title: str, total: int, done: int) -> None:
        self.title, self.total, self.done = title, total, done
        self._last = time.monotonic()
        if done:
            print(f"{title}: {done} of {total} were finished before", flush=True)

    def advance(self) -> None:
        self.done += 1
        now = time.monotonic()
        if self.done == self.total or now - self._last > _SECONDS_BETWEEN_LINES:
            self._last = now
            print(f"{self.title}: {self.done} of {self.total}", flush=True)
