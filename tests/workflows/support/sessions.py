"""Which processes of sessions still run."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path


def members_of_sessions(sessions: Collection[int]) -> list[int]:
    """Return the processes of some sessions that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) in sessions and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found
