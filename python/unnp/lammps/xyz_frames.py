"""The frames of an extended XYZ file of LAMMPS, as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unnp.errors import LammpsError

FrameText = tuple[bytes, bytes, list[bytes]]
"""The first line, the comment and the lines of the atoms."""


def whole_frames(path: Path) -> Iterator[FrameText]:
    """Yield each frame that was written to its end; raise LammpsError where the file is damaged."""
    with path.open("rb") as file:
        while head := file.readline():
            if not head.strip().isdigit():
                raise LammpsError(f"{path} is damaged: where the number of atoms should be, it has something else.")
            comment = file.readline()
            body = [file.readline() for _ in range(int(head))]
            if not (body or [comment])[-1].endswith(b"\n"):
                return
            yield head, comment, body
