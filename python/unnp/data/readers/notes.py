"""What is to be said of a file that has been read: steps that were left out, numbers that are likely in another unit."""

from __future__ import annotations

import logging

import numpy as np

from unnp.atoms.structure import Structure
from unnp.data.readers.base import Frame
from unnp.data.readers.options import ReadOptions
from unnp.data.suspicions import suspect_energies, suspect_stresses
from unnp.errors import DataError

logger = logging.getLogger(__name__)

_WORTH_SAYING = 1e-3  # eV/atom between energy and free energy
_LISTED = 10


class Notes:
    """Collects, frame by frame, what is to be said of a file at its end.

    Args:
        where: the file.
        options: how it is read.
    """

    def __init__(self, where: str, options: ReadOptions) -> None:
        self._where = where
        self._options = options
        self._unconverged: list[int] = []
        self._n_frames = 0
        self._n_taken = 0
        self._energies_are_zero = True
        self._forces_max = 0.0
        self._stresses: list[np.ndarray] = []
        self._largest_gap = 0.0
        self._without_forces: list[int] = []
        self._remark = ""

    def takes(self, frame: Frame) -> bool:
        """Tell whether a frame is to be taken; raise DataError where it did not converge and that is to be an error."""
        self._n_frames += 1
        if frame.converged is True or self._options.unconverged == "keep":
            return True
        if frame.converged is None:
            raise DataError(
                f"{self._where}: the electronic steps of some of its structures did not converge, but not which of them "
                "can be told. Remove these steps, or take all with --read unconverged=keep."
            )
        if self._options.unconverged == "error":
            raise DataError(f"{frame.where}: the electronic steps did not converge; leave it out, or compute it again.")
        self._unconverged.append(self._n_frames - 1)
        return False

    def add(self, frame: Frame, structure: Structure) -> None:
        """Take note of a structure that was read."""
        self._n_taken += 1
        self._remark = self._remark or frame.remark
        self._energies_are_zero = self._energies_are_zero and structure.energy == 0.0
        if structure.forces is not None:
            if absent := int(np.isnan(structure.forces[:, 0]).sum()):
                self._without_forces.append(absent)
            self._forces_max = max(self._forces_max, float(np.nanmax(np.abs(structure.forces), initial=0.0)))
        if structure.stress is not None and np.all(structure.pbc):
            self._stresses.append(structure.stress)
        if structure.energy is not None and self._options.energy_key == "energy":
            free_energy = _free_energy(frame) * self._options.energy_factor
            gap = abs(free_energy - structure.energy) / len(structure)
            self._largest_gap = max(self._largest_gap, gap) if gap == gap else self._largest_gap

    def finish(self) -> None:
        """Log what is to be said; raise DataError where nothing of the file is left."""
        if not self._n_frames:
            raise DataError(f"{self._where} holds no structures.")
        if not self._n_taken:
            raise DataError(
                f"{self._where}: nothing is left of {self._n_frames} structure(s), as the electronic steps of none "
                "converged. Compute them again, or take them with --read unconverged=keep."
            )
        for text in (
            self._remark,
            self._left_out(),
            self._partial_forces(),
            self._energy_of_the_forces(),
            suspect_energies(self._energies_are_zero, self._forces_max),
            suspect_stresses(np.reshape(self._stresses, (-1, 3, 3)), self._stress_unit()),
        ):
            if text:
                logger.warning("%s: %s", self._where, text)

    def _stress_unit(self) -> str | None:
        return self._options.stress_unit if self._options.virial_key is None else None

    def _left_out(self) -> str:
        if not self._unconverged:
            return ""
        frames = ", ".join(map(str, self._unconverged[:_LISTED])) + (
            ", ..." if len(self._unconverged) > _LISTED else ""
        )
        return (
            f"{len(self._unconverged)} of {self._n_frames} structures left out (frame {frames}), because their electronic "
            "steps did not converge. --read unconverged=keep takes them, unconverged=error refuses the file."
        )

    def _partial_forces(self) -> str:
        if not self._without_forces:
            return ""
        return (
            f"in {len(self._without_forces)} structure(s) the forces on single atoms ({sum(self._without_forces)} in all) are "
            "NaN; they are taken for absent labels."
        )

    def _energy_of_the_forces(self) -> str:
        if self._largest_gap < _WORTH_SAYING:
            return ""
        return (
            f"energy and free_energy differ by up to {self._largest_gap:.4f} eV/atom. The forces belong to the free "
            "energy: energy_key=free_energy reads it."
        )


def _free_energy(frame: Frame) -> float:
    """Return the free energy of a frame in the unit of the file; NaN where there is none."""
    for source in frame.sources:
        value = np.asarray(source.get("free_energy", "none"))
        if value.dtype.kind in "fiu" and value.size == 1:
            return float(value.reshape(()))
    return float("nan")
