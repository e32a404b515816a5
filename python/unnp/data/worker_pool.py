"""Worker processes that survive what they compute: one that dies costs one item and is replaced."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from unnp.errors import UnnpError, in_one_line

RunTasks = Callable[
    [Callable[[], Callable[[Any], Any]], Iterable[tuple[int, Any]]], Generator[tuple[int, Any], None, None]
]
"""What computes items somewhere: as ``run_parallel``, without the number of processes."""

_SPAWN = get_context("spawn")  # a fork would copy the state of MPI and of the thread pools
_SECONDS_TO_STOP = 2.0
_PUT_OFF = (signal.SIGINT, signal.SIGTERM)


class StoppedError(Exception):
    """This process was asked to stop, and has kept what it had done: no error of what it was doing."""


@dataclass(frozen=True)
class Failure:
    """Why an item has no result."""

    message: str

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """Return what an error says, on one line and with its name where it is not one of the input."""
        return cls(str(error) if isinstance(error, UnnpError) else in_one_line(f"{type(error).__name__}: {error}"))


@dataclass
class _Worker:
    process: Any
    connection: Connection
    item: int | None = None
    ready: bool = False
    dead: bool = False


def run_parallel(
    start: Callable[[], Callable[[Any], Any]], items: Iterable[tuple[int, Any]], n_workers: int
) -> Generator[tuple[int, Any | Failure], None, None]:
    """Yield (index, result or Failure) of items, in the order in which they are finished.

    Args:
        start: makes the function that computes one item, once in every process; picklable, as the items are.
        items: (index, item).
        n_workers: number of processes.

    Raises:
        UnnpError: ``start`` failed; its message.
    """
    queue = deque(items)
    workers = [_start_worker(start) for _ in range(min(n_workers, len(queue)))]
    try:
        while workers:
            ready = wait([worker.connection for worker in workers])
            for worker in [w for w in workers if w.connection in ready]:
                index = worker.item
                outcome = _receive(worker)
                if index is not None and outcome is not None:
                    worker.item = None
                    yield index, outcome
                if worker.dead or not _give_next(worker, queue):
                    workers.remove(worker)
                    _stop(worker)
                    if worker.dead and queue:
                        workers.append(_start_worker(start))
    finally:
        for worker in workers:
            _stop(worker)


def _receive(worker: _Worker) -> Any | Failure | None:
    """Return the outcome that a worker has sent, None where it only says that it is ready."""
    try:
        kind, content = worker.connection.recv()
    except (EOFError, OSError):
        worker.dead = True
        worker.process.join()
        reason = f"the process died ({_exit_reason(worker.process.exitcode)})"
        if not worker.ready:
            raise UnnpError(f"a worker did not start: {reason}.") from None
        return Failure(reason)
    if kind == "not started":
        raise UnnpError(content)
    worker.ready = True
    return Failure(content) if kind == "failure" else content


def _give_next(worker: _Worker, queue: deque[tuple[int, Any]]) -> bool:
    """Send a worker its next item; return False where there is none."""
    if not queue:
        return False
    worker.item, item = queue.popleft()
    with suppress(OSError):  # it has died meanwhile: the next attempt to receive says so
        worker.connection.send(item)
    return True


def _exit_reason(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def _start_worker(start: Callable[[], Callable[[Any], Any]]) -> _Worker:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_work, args=(theirs, start), daemon=True)
    with _one_thread(), _signals_later():
        process.start()
    theirs.close()
    return _Worker(process, ours)


def _stop(worker: _Worker) -> None:
    worker.connection.close()
    worker.process.join(_SECONDS_TO_STOP)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let processes started here use one thread each: they are the parallelism."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


@contextmanager
def _signals_later() -> Iterator[None]:
    """Put off Ctrl-C and SIGTERM while a process is started.

    The new process inherits that, so that Ctrl-C does not stop it while it imports, and it is never left with half of
    what it has to unpickle. The worker undoes it as soon as it knows what to do.
    """
    resource_tracker.ensure_running()  # started later, it would undo what follows
    with _noted_signals():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _PUT_OFF)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _noted_signals() -> Iterator[None]:
    """Raise signals at the end that arrive meanwhile: blocked in this thread alone, another thread of torch would take them."""
    if threading.current_thread() is not threading.main_thread():  # no other may set handlers
        yield
        return
    noted: list[int] = []
    before = {number: signal.signal(number, lambda n, _: noted.append(n)) for number in _PUT_OFF}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for arrived in noted:
            signal.raise_signal(arrived)


def _work(connection: Connection, start: Callable[[], Callable[[Any], Any]]) -> None:
    """Serve items until the other end closes; where the parent is killed, end in the middle of an item."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes the connection
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PUT_OFF)
    with suppress(EOFError, OSError):  # the other end has been closed
        try:
            compute = start()
        except Exception as error:
            connection.send(("not started", Failure.of(error).message))
            return
        connection.send(("ready", None))
        while True:
            item = connection.recv()
            try:
                answer = ("result", compute(item))
            except Exception as error:
                answer = ("failure", Failure.of(error).message)
            connection.send(answer)


def _end_with_parent() -> None:
    """End this process as soon as its parent has: nobody else would wait for an item that takes hours, or stop it."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
