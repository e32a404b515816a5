"""Writing files so that a reader, or a crash, never meets half of one, and a full disk is said in one line."""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from unnp.errors import UnnpError


def write_atomically(
    path: str | Path,
    content: bytes | str | Callable[[BinaryIO], object],
    check: Callable[[Path], object] = lambda written: None,
) -> None:
    """Write a file under a temporary name in its folder, sync it and rename it.

    Args:
        path: the file; an older one is replaced.
        content: the bytes, text (UTF-8), or a function that writes into the open file.
        check: called with the file under its temporary name; where it raises, nothing is replaced.

    Raises:
        UnnpError: the file cannot be written (folder missing, no permission, disk full), or ``path`` is something else
            than an ordinary file: a folder, a pipe, a device, a link to nothing.
    """
    path = Path(path)
    _refuse_special(path)
    with writing(path), temporary_beside(path) as temporary:
        with temporary.open("wb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        check(temporary)
        temporary.replace(path)


def read_json(path: Path) -> Any:
    """Return what a JSON file says; raise OSError where it cannot be read, ValueError where it is no JSON that is usable."""
    if path.exists() and not path.is_file():  # a named pipe would wait for somebody to write
        raise OSError(errno.EINVAL, "it is no ordinary file", str(path))
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def copy_file(source: str | Path, destination: str | Path) -> None:
    """Copy a file; the copy is complete or not there at all. Copying a file onto itself does nothing.

    Raises:
        UnnpError: the source cannot be read, or the copy cannot be written.
    """
    source, destination = Path(source), Path(destination)
    with contextlib.suppress(OSError):
        if source.samefile(destination):
            return
    try:
        file = source.open("rb")
    except OSError as error:
        raise UnnpError(f"cannot read {source}: {error.strerror or error}.") from None
    with file:
        write_atomically(destination, lambda copy: shutil.copyfileobj(file, copy))


def make_folder(path: str | Path) -> None:
    """Make a folder and those above it; do nothing where it exists; raise UnnpError where that is not possible."""
    with writing(path):
        Path(path).mkdir(parents=True, exist_ok=True)


def keep_as(path: Path, kept: Path) -> None:
    """Give an existing file a second name, at no moment without the first; do nothing where it does not exist.

    Raises:
        UnnpError: the second name cannot be written.
    """
    if not path.exists():
        return
    with writing(kept), temporary_beside(kept) as temporary:
        try:
            os.link(path, temporary)
        except OSError:  # a file system without hard links
            temporary.write_bytes(path.read_bytes())
        temporary.replace(kept)


@contextlib.contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Say in one line, as an UnnpError, that ``path`` cannot be written, where the system refuses to (OSError)."""
    try:
        yield
    except OSError as error:
        raise UnnpError(f"cannot write {path}: {error.strerror or error}.") from None


@contextlib.contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """Give a free hidden name beside ``path`` for a file or folder, and remove what is left under it at the end.

    What killed processes of this machine left under such names is removed first.
    """
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}.part")
    _remove(temporary)
    try:
        yield temporary
    finally:
        _remove(temporary)


def is_alive(pid: int) -> bool:
    """Return whether a process of this machine still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass  # it belongs to somebody else, or is no number of a process, and is left alone
    return True


def _refuse_special(path: Path) -> None:
    if not os.path.lexists(path) or os.path.isfile(path):
        return
    what = (
        "is a folder" if os.path.isdir(path) else "is no ordinary file" if os.path.exists(path) else "links to nothing"
    )
    raise UnnpError(f"cannot write {path}: it {what}. Give another name.")


def _remove_leftovers(path: Path) -> None:
    prefix = f".{path.name}.{socket.gethostname()}-"
    for left in path.parent.glob(f"{glob.escape(prefix)}*.part"):
        pid = left.name[len(prefix) : -len(".part")]
        if pid.isdigit() and not is_alive(int(pid)):
            _remove(left)


def _remove(path: Path) -> None:
    """Remove a file or folder, as far as that is possible: on a read-only disk there is nothing to remove."""
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
