"""Where LAMMPS has brought the atoms of a structure, as the structure stands: not turned, not wrapped, not shifted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.lammps import Prism
from ase.geometry import minkowski_reduce
from scipy.linalg import polar

from unnp.atoms.voigt import tensor_of
from unnp.errors import LammpsError
from unnp.lammps.data_file import in_box
from unnp.lammps.dump_file import DumpFrame, read_dump
from unnp.units import BAR_PER_EV_PER_A3


@dataclass(frozen=True)
class State:
    """A structure after a run of LAMMPS.

    Attributes:
        positions: (n_atoms, 3) [A].
        cell: (3, 3) [A].
        forces: (n_atoms, 3) [eV/A].
        turned: (3, 3) orthogonal; a row vector in LAMMPS times this is the vector in the structure.
    """

    positions: np.ndarray
    cell: np.ndarray
    forces: np.ndarray
    turned: np.ndarray

    def stress(self, pressures: Sequence[float]) -> np.ndarray:
        """Return the stress (3, 3) [eV/A^3] of LAMMPS' pressures xx, yy, zz, xy, xz, yz [bar]."""
        tensor = -tensor_of(np.array(pressures), "lammps") / BAR_PER_EV_PER_A3
        return self.turned.T @ tensor @ self.turned


def as_given(atoms: Atoms) -> Atoms:
    """Return a structure as it is given to LAMMPS: without masses and velocities, in a cell with short lattice vectors.

    In a cell that is tilted by more than its length, what `fix box/relax` follows is no way down.
    """
    cell = minkowski_reduce(atoms.cell.array)[0] if atoms.pbc.all() and atoms.cell.rank == 3 else atoms.cell
    return Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=cell, pbc=atoms.pbc)


def state_of(start: Atoms, first: Path, last: Path, *, cell_moves: bool) -> State:
    """Return where the atoms are.

    LAMMPS has the first lattice vector along x and the second in the xy plane, also of a cell that has changed. Of the
    deformation of the cell only the stretch is taken (polar decomposition), so that a relaxed cell is not turned.

    Args:
        start: the structure that began.
        first, last: dumps with the columns id, xu, yu, zu, sorted, the last with forces behind them.
        cell_moves: whether the cell is another than at the start; then all its directions are periodic.

    Raises:
        LammpsError: a dump is not there, or not whole.
    """
    before, after = _frame(first, len(start)), _frame(last, len(start))
    turned = Prism(np.array(in_box(as_given(start)).cell)).vector_to_ase(np.eye(3))
    x0, x1 = before.table()[:, 1:4], after.table()[:, 1:4]
    forces = after.table()[:, 4:7]
    if not cell_moves:
        return State(start.positions + (x1 - x0) @ turned, start.cell.array, forces @ turned, turned)
    (origin0, box0), (origin1, box1) = before.box(), after.box()
    deformation = np.linalg.solve(box0, box1)
    moved = x1 - (origin1 + (x0 - origin0) @ deformation)
    rotation, stretch = polar(turned.T @ deformation @ turned, side="left")
    turned = turned @ rotation.T
    return State(start.positions @ stretch + moved @ turned, start.cell.array @ stretch, forces @ turned, turned)


def _frame(path: Path, n_atoms: int) -> DumpFrame:
    frame = next(read_dump(path), None)
    if frame is None or len(frame.rows) != n_atoms:
        raise LammpsError(f"{path} is not whole; start again in another folder.")
    return frame
