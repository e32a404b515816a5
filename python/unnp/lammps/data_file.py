"""LAMMPS data files from structures."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.io.lammpsdata import write_lammps_data

from unnp.errors import DataError
from unnp.lammps.structure_file import fixed_atoms

MARGIN = 1.0
"""Room [A] on either side of the atoms in a direction that is not periodic; LAMMPS shrinks the box around them."""


def data_file(atoms: Atoms, elements: Sequence[str], *, triclinic: bool = False, velocities: bool = False) -> str:
    """Return the text of a data file (units metal, atom_style atomic) with masses.

    LAMMPS wants the first lattice vector along x and the second in the xy plane, so the structure is turned. A lattice
    vector of a direction that is not periodic is replaced by one at right angles to the others that holds the atoms.

    Args:
        atoms: at least one atom.
        elements: chemical symbols of types 1, 2, ...; they must include those of the atoms.
        triclinic: write tilt factors even where they are zero, so that the box may tilt later.
        velocities: write those of the atoms; where an atom is fixed, zero.

    Raises:
        DataError: no atoms, an element without a type or with several masses, or a cell without volume.
    """
    _check(atoms, elements)
    return _text(in_box(atoms), elements, triclinic=triclinic, velocities=velocities)


def data_files(states: Sequence[Atoms], elements: Sequence[str]) -> list[str]:
    """Return the texts of data files of several states of the same atoms, all in one box, see ``data_file``.

    In a box of its own each state would begin at its own lowest atom along a direction that is not periodic.
    """
    together = states[0].copy()
    for state in states[1:]:
        together += state
    _check(together, elements)
    boxed, n_atoms = in_box(together), len(states[0])
    return [_text(boxed[k : k + n_atoms], elements) for k in range(0, len(boxed), n_atoms)]


def _check(atoms: Atoms, elements: Sequence[str]) -> None:
    if len(atoms) == 0:
        raise DataError("the structure has no atoms.")
    missing = sorted(set(atoms.get_chemical_symbols()) - set(elements))
    if missing:
        raise DataError(f"the structure contains {', '.join(missing)}, but the LAMMPS types are {', '.join(elements)}.")
    _check_masses(atoms)


def _text(boxed: Atoms, elements: Sequence[str], *, triclinic: bool = False, velocities: bool = False) -> str:
    text = io.StringIO()
    options = {"masses": True, "velocities": velocities, "force_skew": triclinic, "units": "metal"}
    write_lammps_data(text, boxed, specorder=list(elements), **options)
    return text.getvalue().replace("(written by ASE)", f"{boxed.get_chemical_formula()}, written by unnp", 1)


def boundary(atoms: Atoms) -> str:
    """Return the arguments of the LAMMPS command ``boundary``: periodic, or shrink-wrapped.

    It does not shrink below the box of the data file: around a flat cluster or a single atom it would become thinner than
    LAMMPS can divide into bins.
    """
    return " ".join("p" if periodic else "m" for periodic in atoms.pbc)


def in_box(atoms: Atoms) -> Atoms:
    """Return the atoms in a right-handed cell with volume: wrapped where periodic, enclosed where not."""
    boxed = Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=_complete(atoms), pbc=atoms.pbc)
    boxed.set_masses(atoms.get_masses())
    moving = atoms.get_velocities()
    moving[fixed_atoms(atoms)] = 0.0
    boxed.set_velocities(moving)
    if not np.isfinite(boxed.positions).all():
        raise DataError("positions are not finite; repair the structure.")
    cell = np.array(boxed.cell)
    if not (np.isfinite(cell).all() and abs(np.linalg.det(cell)) > 1e-6):
        raise DataError("the cell has no volume: its lattice vectors are zero or lie in one plane.")
    for k in np.flatnonzero(~atoms.pbc):
        direction = cell[k] / np.linalg.norm(cell[k])
        along = boxed.positions @ direction
        boxed.positions += (MARGIN - along.min()) * direction
        cell[k] = direction * (np.ptp(along) + 2 * MARGIN)
    boxed.set_cell(cell)
    boxed.wrap(pbc=atoms.pbc)
    return boxed


def _check_masses(atoms: Atoms) -> None:
    """LAMMPS has one mass per type, and a type is an element here."""
    masses = atoms.get_masses()
    for symbol, where in atoms.symbols.indices().items():
        if np.ptp(masses[where]) > 1e-9 * masses[where].max():
            low, high = masses[where].min(), masses[where].max()
            raise DataError(
                f"the atoms of {symbol} have masses from {low:g} to {high:g} u; in a run each element has one mass."
            )


def _complete(atoms: Atoms) -> np.ndarray:
    """Return the cell with the vectors that are not periodic at right angles to those that are."""
    cell, periodic = np.array(atoms.cell), np.asarray(atoms.pbc)
    zero = np.linalg.norm(cell, axis=1) < 1e-8
    if (zero & periodic).any():
        raise DataError("periodic along a lattice vector of zero length; give the cell or set pbc to F there.")
    kept = cell[periodic]
    # The rows of v after the rank of `kept` span what is at right angles to the periodic vectors.
    v = np.linalg.svd(kept)[2] if len(kept) else np.eye(3)
    cell[~periodic] = v[len(kept) :]
    if np.linalg.det(cell) < 0:
        k = np.flatnonzero(~periodic)
        if len(k):
            cell[k[0]] *= -1
    return cell
