"""The record of what is finished: one line per structure, so that a killed run loses nothing."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from unnp.errors import DataError, UnnpError
from unnp.files.writing import writing

_SECONDS_BETWEEN_SYNCS = 2.0


class Journal:
    """An append-only file of JSON lines; the first names the work it belongs to.

    Args:
        path: the file; made where it does not exist, continued where it does.
        fingerprint: digest over everything that the results depend on.

    Raises:
        DataError: the file belongs to other work.
        UnnpError: it cannot be read or written.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path = path
        self.finished: dict[int, dict[str, Any]] = {}
        self._synced = time.monotonic()
        with writing(path):
            kept = self._read(fingerprint) if path.exists() else 0
            self._file: BinaryIO = path.open("ab")
            self._file.truncate(kept)  # half a line, written when the last run was killed
        if not kept:
            self._write({"fingerprint": fingerprint})

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(UnnpError, OSError) if error is not None else contextlib.nullcontext():
            try:
                self._sync()
            finally:
                with contextlib.suppress(OSError):  # the sync has said what is wrong
                    self._file.close()

    def add(self, k: int, result: dict[str, Any]) -> None:
        """Record the result of item ``k``. It survives the end of this process at once, a power failure in seconds."""
        self.finished[k] = result
        self._write({"k": k, **result})
        if time.monotonic() - self._synced > _SECONDS_BETWEEN_SYNCS:
            self._sync()

    def _read(self, fingerprint: str) -> int:
        """Take in all complete lines and return their length in bytes."""
        entries, kept = _complete_lines(self.path)
        if entries and entries[0].get("fingerprint") != fingerprint:
            if len(entries) == 1:
                return 0  # nothing would be lost
            raise DataError(
                f"{self.path.parent} holds unfinished work of another configuration or other structures, or of another "
                "potential: files that its calculator names count too. Restore them, choose another output, or delete that "
                "folder."
            )
        self.finished = {entry.pop("k"): entry for entry in entries[1:]}
        return kept

    def _write(self, entry: dict[str, Any]) -> None:
        with writing(self.path):
            self._file.write(json.dumps(entry).encode() + b"\n")
            self._file.flush()

    def _sync(self) -> None:
        with writing(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())
        self._synced = time.monotonic()


def count_finished(path: Path) -> int:
    """Return the number of results in a journal, 0 where there is none."""
    return len(read_finished(path))


def read_finished(path: Path) -> list[dict[str, Any]]:
    """Return the results in a journal, in the order in which they were finished; none where there is no journal."""
    return _complete_lines(path)[0][1:] if path.exists() else []


def _complete_lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the entries up to the first line that is not whole, and their length in bytes."""
    entries: list[dict[str, Any]] = []
    kept = 0
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            entry = json.loads(line) if line.endswith(b"\n") else None
        except (ValueError, RecursionError):
            entry = None
        if not isinstance(entry, dict) or (entries and type(entry.get("k")) is not int):
            break
        entries.append(entry)
        kept += len(line)
    return entries, kept
