"""The last row of each walker's log, while the run goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_TITLES, _TAIL = 4096, 8192


@dataclass(frozen=True)
class Last:
    """Where a stage stands, over all walkers.

    Attributes:
        step: smallest last step.
        round_trips: solid to liquid and back, of all walkers together.
        updates: of the bias.
        rows: the last row of each walker, by title.
    """

    step: int
    round_trips: float
    updates: int
    rows: list[dict[str, float]]


def last_rows(logs: list[Path]) -> Last | None:
    """Return the last complete rows of logs of `fix momt`; None where a walker has written none yet."""
    rows = [_last_row(path) for path in logs]
    present = [row for row in rows if row]
    if not present or len(present) < len(rows):
        return None
    return Last(
        step=int(min(row["step"] for row in present)),
        round_trips=sum(row["round_trips"] for row in present),
        updates=int(max(row["updates"] for row in present)),
        rows=present,
    )


def _last_row(path: Path) -> dict[str, float] | None:
    try:
        with path.open("rb") as file:
            head = file.read(_TITLES)
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            lines = file.read().split(b"\n")[:-1]
    except OSError:
        return None
    titles = next((line for line in head.split(b"\n") if line.startswith(b"# step ")), b"").decode().split()[1:]
    for line in reversed(lines):
        words = line.split()
        if words and not line.startswith(b"#") and len(words) == len(titles):
            return dict(zip(titles, map(float, words), strict=True))
    return None
