"""The trajectory of a run as a file that says what it holds: the energy of each frame, and the units of its velocities."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from unnp.errors import LammpsError
from unnp.files import write_atomically, writing

UNITS = b"units=metal"
"""Of the column vel: A/ps."""
ENERGY_OF_LAMMPS, ENERGY = b" Potential_energy=", b" energy="


def complete_trajectories(folder: Path) -> None:
    """Name the energies in the trajectories of a run as all readers do, and leave out a frame that was cut short.

    Each frame gets ``energy=`` [eV], which LAMMPS calls Potential_energy, and ``units=metal``. Done once for each part of
    a run.

    Raises:
        LammpsError: a trajectory is damaged.
        UnnpError: it cannot be written.
    """
    for path in sorted(folder.glob("trajectory*.extxyz")):
        with writing(path), path.open("rb") as file:
            file.readline()
            if UNITS in file.readline():
                continue
            file.seek(0)
            write_atomically(path, lambda new, old=file: new.writelines(_completed(old)))  # type: ignore[misc]


def _completed(file: BinaryIO) -> Iterator[bytes]:
    for head, comment, body in _frames(file):
        yield head
        yield comment.rstrip().replace(ENERGY_OF_LAMMPS, ENERGY, 1) + b" " + UNITS + b"\n"
        yield from body


def _frames(file: BinaryIO) -> Iterator[tuple[bytes, bytes, list[bytes]]]:
    """Yield the first line, the comment and the lines of the atoms of each whole frame."""
    while head := file.readline():
        if not head.strip().isdigit():
            raise LammpsError(f"{file.name} is damaged: where the number of atoms should be, it has something else.")
        comment = file.readline()
        body = [file.readline() for _ in range(int(head))]
        if not body[-1].endswith(b"\n"):
            return
        yield head, comment, body
