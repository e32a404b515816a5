"""One process at a time in a run folder, or at an output file: the second is refused and told who holds it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unnp.errors import UnnpError
from unnp.files.writing import is_alive, make_folder, writing

logger = logging.getLogger(__name__)

LOCK_NAME = ".lock"
_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@dataclass
class Lock:
    """A lock that this process holds.

    Attributes:
        path: the lock file.
        descriptor: open file that holds it; a child that inherits it (``pass_fds``) holds the lock as long as it lives.
        depth: how often this process has taken it.
    """

    path: Path
    descriptor: int
    depth: int = 1

    def add_holder(self, pid: int, what: str) -> None:
        """Write down a child that holds the lock too, for the message to whoever is refused."""
        os.pwrite(self.descriptor, _holder(pid, what), os.fstat(self.descriptor).st_size)


_held: dict[Path, Lock] = {}
_guard = threading.RLock()


@contextlib.contextmanager
def hold_folder(folder: str | Path) -> Iterator[Lock]:
    """Hold the lock of a run folder, which is made where it does not exist; take it before anything in it is touched.

    The lock is that of the process: whoever holds it may take it again, as a driver and the LAMMPS runs in its folder do.
    A folder that was made for it and got nothing, as where the input is refused, goes with the lock.

    Raises:
        UnnpError: another process holds it (named in the message), the folder cannot be written, or holds pipes or devices.
    """
    folder = Path(folder)
    is_new = not folder.exists()
    make_folder(folder)
    _refuse_pipes(folder)
    with _hold(folder / LOCK_NAME, f"in {folder}") as lock:
        try:
            yield lock
        finally:
            if is_new:
                _remove_if_empty(folder)


@contextlib.contextmanager
def hold_output(path: str | Path) -> Iterator[Lock]:
    """Hold the lock of an output that is replaced as a whole; the lock file is beside it and goes with the lock.

    Raises:
        UnnpError: another process writes the same output, or its folder cannot be written.
    """
    path = Path(path)
    with _hold(path.with_name(f".{path.name}{LOCK_NAME}"), f"that writes {path}") as lock:
        try:
            yield lock
        finally:
            if lock.depth == 1:
                with contextlib.suppress(OSError):
                    lock.path.unlink()


@contextlib.contextmanager
def _hold(path: Path, where: str) -> Iterator[Lock]:
    key = Path(os.path.abspath(path))
    with _guard:
        lock = _held.get(key)
        if lock is None:
            with writing(path):
                lock = _held[key] = Lock(path, _locked_descriptor(path, where))
        else:
            lock.depth += 1
    try:
        yield lock
    finally:
        with _guard:
            lock.depth -= 1
            if lock.depth == 0:
                del _held[key]
                os.close(lock.descriptor)


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        if [entry.name for entry in folder.iterdir()] == [LOCK_NAME]:
            (folder / LOCK_NAME).unlink()
            folder.rmdir()


def _locked_descriptor(path: Path, where: str) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _flock(descriptor, path, where)
            if _is_still_there(path, descriptor):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, _holder(os.getpid(), " ".join(sys.argv)), 0)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # the one who held it removed the file: take the lock of the new one


def _flock(descriptor: int, path: Path, where: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UnnpError(
            f"another run is still going on {where}{_holders(path)}; wait for it or stop it first."
        ) from None
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
        logger.warning("The file system of %s has no locks: do not start two runs %s.", path, where)


def _refuse_pipes(folder: Path) -> None:
    """Raise UnnpError for what is neither file nor folder: whoever opens a pipe waits until somebody else does."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # a link that leads nowhere
            mode = path.stat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise UnnpError(f"{path} is no ordinary file; remove it.")


def _is_still_there(path: Path, descriptor: int) -> bool:
    try:
        there = path.stat()
    except OSError:
        return False
    mine = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)


def _holder(pid: int, what: str) -> bytes:
    return f"{pid}\t{socket.gethostname()}\t{' '.join(what.split())}\n".encode(errors="replace")


def _holders(path: Path) -> str:
    """Return who holds a lock, as far as the lock file says: `` (process 12 on node3: unnp md a.yaml)``."""
    found = []
    with contextlib.suppress(OSError):
        for line in path.read_text(errors="replace").splitlines():
            pid, _, rest = line.partition("\t")
            host, _, what = rest.partition("\t")
            if pid.isdigit() and (host != socket.gethostname() or is_alive(int(pid))):
                found.append(f"process {pid} on {host}: {what[:200]}")
    return f" ({'; '.join(found)})" if found else ""
