"""What an earlier run has left in a folder of LAMMPS' searches: gone on with by the same run, removed by another."""

from __future__ import annotations

from pathlib import Path

from unnp.files.writing import write_atomically, writing

STAMP_FILE = "run.sha256"
_WRITTEN = ("*restart*", "*.dump", "in.*lammps", "log.*lammps*")


def clear_of_others(folder: Path, run: str) -> None:
    """Remove what another run has left.

    Args:
        folder: that exists.
        run: digest of all that the course of the run depends on.
    """
    stamp = folder / STAMP_FILE
    if not stamp.is_file() or stamp.read_text() != run:
        clear(folder)
        write_atomically(stamp, run)


def clear(folder: Path) -> None:
    """Remove decks, logs, dumps and restart files."""
    with writing(folder):
        for pattern in _WRITTEN:
            for old in folder.glob(pattern):
                old.unlink()
