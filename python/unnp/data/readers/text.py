"""Text files, compressed or not, as lines."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any

from unnp.errors import DataError

_OPEN: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_BYTE_ORDER_MARK = "\ufeff"
_HEAD_BYTES = 8192


def lines_of(path: Path, errors: str = "strict") -> Iterator[str]:
    """Yield the lines of a UTF-8 file (.gz, .bz2, .xz or plain) without byte-order marks.

    Args:
        path: the file.
        errors: what to do with bytes that are no UTF-8, as in ``open``.

    Raises:
        DataError: the file cannot be read, or its compressed data ends early.
    """
    with open_bytes(path) as file, _saying_what_is_wrong(path):
        for line in TextIOWrapper(file, encoding="utf-8", errors=errors):
            yield line.removeprefix(_BYTE_ORDER_MARK)


def head_of(path: Path) -> str:
    """Return the first bytes of a file, unpacked, as text; raise DataError where it cannot be read."""
    with open_bytes(path) as file:
        return file.read(_HEAD_BYTES).decode("utf-8", errors="replace").removeprefix(_BYTE_ORDER_MARK)


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file (.gz, .bz2, .xz or plain) for reading its unpacked bytes; raise DataError where it cannot be read."""
    with _saying_what_is_wrong(path), _OPEN.get(path.suffix.lower(), open)(path, "rb") as file:
        yield file


@contextmanager
def _saying_what_is_wrong(path: Path) -> Iterator[None]:
    try:
        yield
    except EOFError:
        raise DataError(f"{path} is truncated: the compressed data ends early; get a complete copy.") from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"cannot read {path}: it is no UTF-8 text ({error}). Convert it, for instance with `iconv -f UTF-16 -t UTF-8`, "
            "or name its format with --read format=..."
        ) from None
    except (OSError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"cannot read {path}: {error}.") from None
