"""The log of a run: one record per epoch, as JSON lines and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unnp.errors import DataError
from unnp.files import write_atomically

Record = dict[str, Any]


class Log:
    """``log.jsonl`` and ``log.csv`` of a run folder; the records are kept in memory too.

    Args:
        folder: of the run.
        columns: of the CSV; a record without one leaves it empty.
        epochs: finished epochs of the checkpoint a resumed run starts from; records of later epochs are dropped.
    """

    def __init__(self, folder: Path, columns: Sequence[str], epochs: int = 0) -> None:
        self.columns = list(columns)
        self._jsonl, self._csv = folder / "log.jsonl", folder / "log.csv"
        old = read_log(self._jsonl) if self._jsonl.exists() else []
        self.records = [record for record in old if record["epoch"] <= epochs]
        write_atomically(self._jsonl, "".join(json.dumps(r) + "\n" for r in self.records))
        write_atomically(self._csv, self._rows([dict(zip(self.columns, self.columns, strict=True)), *self.records]))

    def add(self, record: Record) -> None:
        """Append a record to both files."""
        self.records.append(record)
        with self._jsonl.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        with self._csv.open("a", encoding="utf-8") as file:
            file.write(self._rows([record]))

    def _rows(self, records: Sequence[Record]) -> str:
        text = io.StringIO()
        csv.DictWriter(text, self.columns, extrasaction="ignore", lineterminator="\n").writerows(records)
        return text.getvalue()


def read_log(path: Path) -> list[Record]:
    """Return the records of a ``log.jsonl``; a last line that was cut off by a crash is left out.

    Raises:
        DataError: a line before the last is not a record.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    records = []
    for k, line in enumerate(lines):
        try:
            record = json.loads(line)
            record["epoch"]
        except (ValueError, KeyError, TypeError):
            if k == len(lines) - 1:
                break
            raise DataError(f"{path} line {k + 1} is not a log record; restore the file or delete it.") from None
        records.append(record)
    return records
