"""The log of a run: one record per epoch, as JSON lines and as CSV."""

from __future__ import annotations

import csv
import io
import json
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unnp.errors import DataError
from unnp.files.writing import write_atomically, writing

logger = logging.getLogger(__name__)

Record = dict[str, Any]


class Log:
    """``log.jsonl`` and ``log.csv`` of a run folder; the records are kept in memory too.

    Args:
        folder: the run's folder.
        columns: columns in the CSV; a record without one leaves it empty.
        epochs: finished epochs of the checkpoint a resumed run starts from; records of later epochs are dropped.
    """

    def __init__(self, folder: Path, columns: Sequence[str], epochs: int = 0) -> None:
        self.columns = list(columns)
        self._jsonl, self._csv = folder / "log.jsonl", folder / "log.csv"
        self.records = [record for record in read_log(self._jsonl) if record["epoch"] <= epochs]
        write_atomically(self._jsonl, "".join(json.dumps(r) + "\n" for r in self.records))
        write_atomically(self._csv, self._rows([dict(zip(self.columns, self.columns, strict=True)), *self.records]))

    def add(self, record: Record) -> None:
        """Append a record to both files; raise UnnpError where the disk is full."""
        self.records.append(record)
        for path, text in ((self._jsonl, json.dumps(record) + "\n"), (self._csv, self._rows([record]))):
            with writing(path), path.open("a", encoding="utf-8") as file:
                file.write(text)

    def _rows(self, records: Sequence[Record]) -> str:
        text = io.StringIO()
        csv.DictWriter(text, self.columns, extrasaction="ignore", lineterminator="\n").writerows(records)
        return text.getvalue()


def read_log(path: Path) -> list[Record]:
    """Return the records of a ``log.jsonl``; none where there is no such file.

    A last line that was cut off by a crash is left out. Another line that is no record (it was damaged: the log is for
    people and figures, the training does not depend on it) is left out with a warning.

    Raises:
        DataError: the file cannot be read.
    """
    if path.exists() and not path.is_file():  # a named pipe would wait for somebody to write
        raise DataError(f"{path} is no ordinary file; restore the file or delete it.")
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; restore the file or delete it.") from None
    records: list[Record] = []
    for k, line in enumerate(lines, start=1):
        record = _record(line)
        if record is not None and (not records or record["epoch"] > records[-1]["epoch"]):
            records.append(record)
        elif k < len(lines):
            logger.warning("%s line %d is damaged and is left out.", path, k)
    return records


def _record(line: bytes) -> Record | None:
    """Return the record of a line: finite numbers by name, the number of the epoch among them; None for anything else."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or type(record.get("epoch")) is not int:
        return None
    sound = all(type(x) in (int, float) and math.isfinite(x) for x in record.values())
    return record if sound else None
