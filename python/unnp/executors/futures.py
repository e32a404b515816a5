"""Any executor of the kind of ``concurrent.futures``: what a kind of executor of another package needs is one method."""

from __future__ import annotations

import uuid
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import BrokenExecutor, Future, as_completed
from concurrent.futures import Executor as Pool
from contextlib import AbstractContextManager
from typing import Any

from unnp.data.worker_pool import Failure
from unnp.executors.base import Start
from unnp.executors.holding import Holding


class Futures(Holding):
    """Computes with an executor of ``concurrent.futures``. A subclass fills in ``pool``.

    All processes see the same files under the same names: what they compute is kept in the folder of the loop. One pool
    serves a whole loop; where it breaks, as one of processes does with any of them, another is begun.
    """

    @abstractmethod
    def pool(self) -> AbstractContextManager[Pool]:
        """Return what computes, inside a ``with`` block; raise UnnpError where there is nothing."""

    def begin(self) -> AbstractContextManager[Pool]:
        return self.pool()

    def run(self, start: Start, items: Iterable[tuple[int, Any]]) -> Generator[tuple[int, Any | Failure], None, None]:
        waiting = list(items)
        if not waiting:
            return
        key = uuid.uuid4().hex
        with self:
            futures = {self._submit(key, start, item): k for k, item in waiting}
            try:
                for future in as_completed(futures):
                    yield futures[future], outcome_of(future)
            finally:
                for future in futures:
                    future.cancel()

    def _submit(self, *call: Any) -> Future[Any]:
        try:
            return self.held().submit(compute, *call)
        except BrokenExecutor:  # what it had is lost already, and its futures say so
            self.let_go()
            return self.held().submit(compute, *call)


_MADE: dict[str, Callable[[Any], Any]] = {}
"""the last function that was made in this process, by key"""


def compute(key: str, start: Start, item: Any) -> Any:
    """Compute an item with the function that ``start`` makes, which is made once in each process for a ``key``."""
    if key not in _MADE:
        _MADE.clear()
        _MADE[key] = start()
    return _MADE[key](item)


def outcome_of(future: Any) -> Any | Failure:
    """Return the result of a finished future, or why there is none."""
    try:
        return future.result()
    except Exception as error:  # of the item, or of a worker that is lost
        return Failure.of(error)
