"""Structures that trip up parallel potentials."""

from __future__ import annotations

import ase
import ase.build
import numpy as np
from toy_model import ELEMENTS


def _mixed(atoms: ase.Atoms, noise: float = 0.1, seed: int = 0) -> ase.Atoms:
    """Return a copy with the elements in turn and the positions disturbed."""
    atoms = atoms.copy()
    atoms.symbols = [ELEMENTS[k % len(ELEMENTS)] for k in range(len(atoms))]
    atoms.positions += np.random.default_rng(seed).normal(0, noise, atoms.positions.shape)
    return atoms


def crystal() -> ase.Atoms:
    """108 atoms, cubic."""
    return _mixed(ase.build.bulk("Cu", "fcc", a=3.9, cubic=True).repeat(3))


def large_crystal() -> ase.Atoms:
    """256 atoms, cubic, longer than the receptive field."""
    return _mixed(ase.build.bulk("Cu", "fcc", a=3.9, cubic=True).repeat(4))


def tilted() -> ase.Atoms:
    """64 atoms in a box tilted in all three ways, close to LAMMPS' limit."""
    atoms = ase.build.bulk("Cu", "fcc", a=3.9, cubic=True).repeat((4, 2, 2))
    cell = atoms.cell.array.copy()
    cell[1, 0], cell[2, 0], cell[2, 1] = 7.5, -6.0, 3.7
    atoms.set_cell(cell, scale_atoms=True)
    return _mixed(atoms)


def primitive() -> ase.Atoms:
    """One atom in a cell shorter than the cutoff in every direction, tilted."""
    return ase.Atoms("Al", [[0.3, 0.2, 0.1]], cell=[[2.6, 0, 0], [1.2, 2.4, 0], [0.9, 0.7, 2.5]], pbc=True)


def pair_cell() -> ase.Atoms:
    """Two atoms in a cube shorter than the cutoff."""
    return ase.Atoms("NiAl", [[0.1, 0.1, 0.1], [1.6, 1.5, 1.7]], cell=[3.0, 3.1, 3.2], pbc=True)


def slab() -> ase.Atoms:
    """A slab, not periodic along z."""
    atoms = ase.build.fcc100("Cu", (3, 3, 3), a=3.9, vacuum=6.0, orthogonal=True)
    atoms.pbc = [True, True, False]
    return _mixed(atoms)


def molecule() -> ase.Atoms:
    """Five atoms in a corner of a box without periodicity: most ranks own nothing."""
    positions = [[1.0, 1, 1], [3.2, 1, 1.2], [1.5, 3.1, 1], [2.0, 1.8, 3.0], [3.8, 3.2, 2.9]]
    return ase.Atoms("NiAlCuAlNi", positions, cell=[40.0, 20, 20], pbc=False)


def lone_atom() -> ase.Atoms:
    """A cluster at one end of a periodic box and a single atom far from it: a rank owns one atom without bonds."""
    atoms = molecule()
    atoms.append(ase.Atom("Cu", [35.0, 15.0, 15.0]))
    atoms.set_cell([48.0, 20, 20])
    atoms.pbc = True
    return atoms
