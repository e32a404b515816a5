"""The frames that a run has captured, and which of them no atoms could be in."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ase.io
import numpy as np

from unnp.atoms.structure import Structure
from unnp.data.limits import LARGE_FORCE, FrameLimits, unphysical
from unnp.errors import LammpsError, in_one_line
from unnp.files.writing import write_atomically, writing
from unnp.lammps.xyz_frames import whole_frames

CAPTURED_FILE, KEPT_FILE, SORTED_FILE = "captured.extxyz", "captured.kept.extxyz", "captured.json"
LOST = "lost atoms"
"""Reason to leave out a frame in which atoms of the run are missing."""


@dataclass(frozen=True)
class Captured:
    """A frame that ``pair_style unnp`` has captured.

    Attributes:
        structure: without labels; ``source`` names file and step.
        step: of the dynamics.
        deviation: largest deviation of the force on an atom [eV/A].
        atom_deviations: those of all atoms, (n_atoms,) [eV/A].
        largest_force: largest norm of a force that the model predicts [eV/A].
        lost_atoms: number of atoms of the run that are not in the frame.
        text: the frame as it stands in the file.
    """

    structure: Structure
    step: int
    deviation: float
    atom_deviations: np.ndarray
    largest_force: float
    lost_atoms: int
    text: bytes


@dataclass(frozen=True)
class SortedOut:
    """Captured frames, and why some of them were left out.

    Attributes:
        kept: frames worth a label.
        left_out: number of other frames, by reason.
    """

    kept: list[Captured]
    left_out: dict[str, int]

    @property
    def summary(self) -> dict[str, int | dict[str, int]]:
        """What ``summary.json`` says of them."""
        return {
            "captured": len(self.kept) + sum(self.left_out.values()),
            "kept": len(self.kept),
            "left_out": self.left_out,
        }


def read_captured(path: Path) -> Iterator[Captured]:
    """Yield the frames of a file of ``pair_style unnp capture``, but for a last one that was cut short.

    Raises:
        LammpsError: the file is damaged, or holds other frames.
    """
    for head, comment, body in whole_frames(path):
        text = head + comment + b"".join(body)
        try:
            (atoms,) = ase.io.read(io.StringIO(text.decode()), index=":", format="extxyz")
            info, structure = atoms.info, Structure.from_atoms(atoms)
            structure.source = f"{path} step {info['step']}"
            yield Captured(
                structure,
                int(info["step"]),
                float(info["unnp_max_force_deviation"]),
                atoms.arrays["unnp_force_deviation"],
                float(info["unnp_max_force"]),
                int(info["unnp_lost_atoms"]),
                text,
            )
        except Exception as error:  # ASE raises almost anything for damaged text
            reason = in_one_line(error) or type(error).__name__
            raise LammpsError(f"{path} holds something else than captured frames, or is damaged ({reason}).") from None


def sort_out(captured: Sequence[Captured], limits: FrameLimits | None) -> SortedOut:
    """Return the frames that atoms could be in, and the number of others by reason.

    Frames are left out in which atoms of the run are missing, whose largest predicted force is beyond ``max_force``, and those
    that ``unphysical`` finds by their distances. Limits of energies need labels and have no part in it.

    Args:
        captured: frames in the order of the run.
        limits: which are left out; None: none.
    """
    if limits is None:
        return SortedOut(list(captured), {})
    reasons = [_exploded(frame, limits) for frame in captured]
    whole = [frame for frame, reason in zip(captured, reasons, strict=True) if not reason]
    misplaced = unphysical([frame.structure for frame in whole], limits)
    kept = [frame for k, frame in enumerate(whole) if k not in misplaced]
    return SortedOut(kept, dict(Counter([*filter(None, reasons), *misplaced.values()])))


def keep_captured(paths: Iterable[Path], limits: FrameLimits | None, target: Path) -> SortedOut:
    """Write the frames of several files that are worth a label into one, and return what was left out.

    Args:
        paths: files of ``pair_style unnp capture``; one that does not exist holds none.
        limits: which frames are left out; None: none.
        target: extended XYZ file; removed where no frame is kept. ``captured.json`` beside it gets the summary.

    Raises:
        LammpsError: a file is damaged.
        UnnpError: the target cannot be written.
    """
    found = sort_out([frame for path in paths if path.is_file() for frame in read_captured(path)], limits)
    if found.kept:
        write_atomically(target, b"".join(frame.text for frame in found.kept))
    else:
        with writing(target):
            target.unlink(missing_ok=True)
    write_atomically(target.with_name(SORTED_FILE), json.dumps(found.summary, indent=1) + "\n")
    return found


def told(summary: dict) -> str:
    """Return ``SortedOut.summary`` in words."""
    reasons = "; ".join(f"{reason}: {n}" for reason, n in summary["left_out"].items())
    left_out = summary["captured"] - summary["kept"]
    return f"{summary['captured']}, left out: {left_out}" + (f" ({reasons})" if reasons else "")


def _exploded(frame: Captured, limits: FrameLimits) -> str:
    """Return why a frame is no state of the atoms of its run, but for their distances; empty where it may be one."""
    if frame.lost_atoms:
        return LOST
    return LARGE_FORCE if limits.max_force is not None and not frame.largest_force <= limits.max_force else ""
