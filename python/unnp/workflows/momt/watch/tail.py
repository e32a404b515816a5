"""The last row of each walker's log, while the run goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unnp.sampling.log_file import last_row


@dataclass(frozen=True)
class Last:
    """Where a stage stands, over all walkers.

    Attributes:
        step: smallest last step.
        round_trips: solid to liquid and back, of all walkers together.
        updates: number of times the bias was updated.
        rows: the last row of each walker, by title.
    """

    step: int
    round_trips: float
    updates: int
    rows: list[dict[str, float]]


def last_rows(logs: list[Path]) -> Last | None:
    """Return the last complete rows of logs of `fix momt`; None where a walker has written none yet."""
    rows = [last_row(path) for path in logs]
    present = [row for row in rows if row]
    if not present or len(present) < len(rows):
        return None
    return Last(
        step=int(min(row["step"] for row in present)),
        round_trips=sum(row["round_trips"] for row in present),
        updates=int(max(row["updates"] for row in present)),
        rows=present,
    )
