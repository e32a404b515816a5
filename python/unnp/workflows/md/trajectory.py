"""The trajectory of a run as a file that says what it holds: the energy of each frame, and the units of its velocities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from unnp.errors import LammpsError
from unnp.files.writing import write_atomically, writing
from unnp.lammps.dump_file import read_dump
from unnp.lammps.xyz_frames import FrameText, whole_frames

UNITS = b"units=metal"
"""Mark of a file whose column vel is in A/ps."""
ENERGY_OF_LAMMPS, ENERGY = b" Potential_energy=", b" energy="


def complete_trajectories(folder: Path) -> None:
    """Name the energies in the trajectories of a run as all readers do, and leave out a frame that was cut short.

    Each frame gets ``energy=`` [eV], which LAMMPS calls Potential_energy, ``units=metal``, and the forces that were written
    to a file of their own beside it. Done once for each part of a run.

    Raises:
        LammpsError: a trajectory is damaged.
        UnnpError: it cannot be written.
    """
    for path in sorted(folder.glob("trajectory*.extxyz")):
        beside = path.with_suffix(".forces")
        with writing(path):
            if not _is_complete(path):
                frames = _with_forces(path, beside) if beside.is_file() else whole_frames(path)
                write_atomically(path, lambda new, known=frames: new.writelines(_lines(known)))  # type: ignore[misc]
            beside.unlink(missing_ok=True)


def _is_complete(path: Path) -> bool:
    with path.open("rb") as file:
        file.readline()
        return UNITS in file.readline()


def _lines(frames: Iterable[FrameText]) -> Iterator[bytes]:
    for head, comment, body in frames:
        yield head
        yield comment.rstrip().replace(ENERGY_OF_LAMMPS, ENERGY, 1) + b" " + UNITS + b"\n"
        yield from body


def _with_forces(path: Path, beside: Path) -> Iterator[FrameText]:
    """Yield the frames with the forces of the same steps, as long as there are both."""
    for (head, comment, body), forces in zip(whole_frames(path), read_dump(beside), strict=False):
        if f"Timestep={forces.step} ".encode() not in comment or len(forces.rows) != len(body):
            raise LammpsError(f"{path} and {beside} do not belong together; start again in another folder.")
        named = comment.replace(b":vel:R:3", b":vel:R:3:forces:R:3", 1)
        yield head, named, [one.rstrip() + b" " + other for one, other in zip(body, forces.rows, strict=True)]
