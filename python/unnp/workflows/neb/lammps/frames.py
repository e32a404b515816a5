"""How far LAMMPS has brought the images of a band, read from their dumps and logs, whole or stopped in the middle."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from unnp.lammps.dump_file import read_dump
from unnp.lammps.log import joined, read_log
from unnp.workflows.neb.lammps.deck import CLIMBS, LARGEST, frame_of, start_of
from unnp.workflows.relaxation.lammps.state import state_of

LOG = "log.lammps"


@dataclass(frozen=True)
class Frames:
    """The images of a band at a step.

    Attributes:
        steps: (n_steps,) all steps up to that one.
        energies: (n_steps, n_images) [eV] at each of them.
        forces: (n_steps,) [eV/A], the largest force of the band at each of them.
        positions, atomic_forces: (n_images, n_atoms, 3) [A], [eV/A] at the last, of the potential.
        climbing: whether the highest image climbs.
    """

    steps: np.ndarray
    energies: np.ndarray
    forces: np.ndarray
    positions: np.ndarray
    atomic_forces: np.ndarray
    climbing: bool


def log_of(folder: Path, image: int) -> Path:
    """Return the log of an image."""
    return folder / f"{LOG}.{image}"


def read_frames(folder: Path, images: Sequence[Atoms]) -> Frames | None:
    """Return the newest step at which all images are known, None where there is none.

    Args:
        folder: of a run of LAMMPS.
        images: as they were when it began.
    """
    logs = [log_of(folder, k) for k in range(len(images))]
    tables = [table for path in logs if (table := _table(path)) is not None]
    if len(tables) < len(images):
        return None
    printed = min(int(table["Step"][-1]) for table in tables)
    written = [set(_steps(folder, k, len(images[0]))) for k in range(len(images))]
    common = [step for step in set.intersection(*written) if step <= printed]
    if not common:
        return None
    step = max(common)
    n_steps = int(np.searchsorted(tables[0]["Step"], step)) + 1
    states = [
        state_of(atoms, folder / start_of(k), folder / frame_of(k, step), cell_moves=False)
        for k, atoms in enumerate(images)
    ]
    return Frames(
        steps=tables[0]["Step"][:n_steps].astype(int),
        energies=np.stack([table["PotEng"][:n_steps] for table in tables], axis=1),
        forces=np.max([table[LARGEST][:n_steps] for table in tables], axis=0),
        positions=np.array([state.positions for state in states]),
        atomic_forces=np.array([state.forces for state in states]),
        climbing=(first := _climbs_from(logs[0])) is not None and first <= step,
    )


def _table(log: Path) -> dict[str, np.ndarray] | None:
    """Return what is printed of an image at each step; None: nothing."""
    if not log.is_file():
        return None
    blocks = [block for block in read_log(log).blocks if LARGEST in block.names]
    if _climbs_from(log) is None:
        del blocks[1:]  # where none is to climb, `neb` computes the force of a climbing image all the same, and ends
    return joined(blocks) if any(block.rows for block in blocks) else None


def _climbs_from(log: Path) -> int | None:
    """Return the step from which the highest image climbs, None where it does not."""
    found = re.search(rf"^{CLIMBS}(\d+)$", log.read_text(errors="replace"), re.MULTILINE)
    return int(found[1]) if found else None


def _steps(folder: Path, image: int, n_atoms: int) -> list[int]:
    """Return the steps at which an image was dumped to the end of the file."""
    found = []
    for path in folder.glob(frame_of(image, "*")):
        frame = next(read_dump(path), None)
        if frame is not None and len(frame.rows) == n_atoms:
            found.append(frame.step)
    return found
