"""Being asked to stop by a batch queue or by Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class StopRequest:
    """Inside ``with``, the first SIGTERM, SIGINT or SIGUSR1 sets ``requested``; a second one acts as ever.

    In another thread than the main one, such as those of Dask's workers, nothing is changed: signals are not for it.
    """

    def __init__(self) -> None:
        self.requested = ""
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():  # no other may set handlers
            self._before = {s: signal.signal(s, self._take) for s in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for s, handler in self._before.items():
            signal.signal(s, handler)

    def _take(self, number: int, _: FrameType | None) -> None:
        self.requested = signal.Signals(number).name
        for s, handler in self._before.items():
            signal.signal(s, handler)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Take SIGTERM as Ctrl-C, so that the processes that this one has started are ended before it."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
