"""Restart files of LAMMPS: which are whole, and which is the newest."""

from __future__ import annotations

from pathlib import Path

MAGIC = b"LammpS RestartT\0"


def newest_restart(folder: Path) -> Path | None:
    """Return the newest restart file that was written to its end."""
    files = [path for path in folder.glob("*restart*") if path.is_file() and is_whole_restart(path)]
    return max(files, key=lambda path: path.stat().st_mtime_ns, default=None)


def is_whole_restart(path: Path) -> bool:
    """Tell whether a restart file was written to its end; a kill may have cut it short."""
    content = path.read_bytes()
    return len(content) > 2 * len(MAGIC) and content.startswith(MAGIC) and content.endswith(MAGIC)
