"""The record of what is finished: one line per structure, so that a killed run loses nothing."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from unnp.errors import DataError

_SECONDS_BETWEEN_SYNCS = 2.0


class Journal:
    """An append-only file of JSON lines; the first names the work it belongs to.

    Args:
        path: the file; made where it does not exist, continued where it does.
        fingerprint: of everything the results depend on.

    Raises:
        DataError: the file belongs to other work, or cannot be read or written.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path = path
        self.finished: dict[int, dict[str, Any]] = {}
        self._synced = time.monotonic()
        try:
            kept = self._read(fingerprint) if path.exists() else 0
            self._file: BinaryIO = path.open("ab")
            self._file.truncate(kept)  # half a line, written when the last run was killed
            if not kept:
                self._write({"fingerprint": fingerprint})
        except OSError as error:
            raise DataError(f"cannot write {path}: {error.strerror}.") from None

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sync()
        self._file.close()

    def add(self, k: int, result: dict[str, Any]) -> None:
        """Record the result of item ``k``. It survives the end of this process at once, a power failure in seconds."""
        self.finished[k] = result
        self._write({"k": k, **result})
        if time.monotonic() - self._synced > _SECONDS_BETWEEN_SYNCS:
            self._sync()

    def _read(self, fingerprint: str) -> int:
        """Take in all complete lines and return their length in bytes."""
        content = self.path.read_bytes()
        kept = 0
        for number, line in enumerate(content.splitlines(keepends=True)):
            try:
                entry = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                entry = None
            if not isinstance(entry, dict):
                break
            if number == 0 and entry.get("fingerprint") != fingerprint:
                raise DataError(
                    f"{self.path.parent} holds unfinished work of another configuration or other structures. Restore "
                    "them, choose another output, or delete that folder."
                )
            if number:
                self.finished[int(entry.pop("k"))] = entry
            kept += len(line)
        return kept

    def _write(self, entry: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(entry).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise DataError(f"cannot write {self.path}: {error.strerror}.") from None

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()
