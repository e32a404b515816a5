"""Writing files so that a reader, or a crash, never meets half of one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from unnp.errors import UnnpError


def write_atomically(path: str | Path, content: bytes | str | Callable[[BinaryIO], object]) -> None:
    """Write a file under a temporary name in its folder, sync it and rename it.

    Args:
        path: the file; an older one is replaced.
        content: the bytes, text (UTF-8), or a function that writes into the open file.

    Raises:
        UnnpError: the file cannot be written (folder missing, no permission, disk full).
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise UnnpError(f"cannot write {path}: {error.strerror or error}.") from None
    finally:
        temporary.unlink(missing_ok=True)


def keep_as(path: Path, kept: Path) -> None:
    """Give an existing file a second name, at no moment without the first; do nothing where it does not exist."""
    if not path.exists():
        return
    temporary = kept.with_name(f".{kept.name}.{os.getpid()}.part")
    temporary.unlink(missing_ok=True)
    try:
        os.link(path, temporary)
    except OSError:  # a file system without hard links
        temporary.write_bytes(path.read_bytes())
    temporary.replace(kept)
