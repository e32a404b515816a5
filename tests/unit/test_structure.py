"""Structures to and from ASE."""

import numpy as np
import pytest
from ase.build import bulk, molecule
from unnp.atoms.structure import Structure


def test_there_and_back():
    atoms = bulk("Cu", cubic=True) * (1, 2, 1)
    structure = Structure.from_atoms(atoms)
    assert len(structure) == 8
    assert structure.to_atoms() == atoms
    assert structure.volume == pytest.approx(atoms.get_volume())
    atoms.positions += 1
    assert not np.array_equal(structure.positions, atoms.positions)


def test_no_volume_without_periodicity():
    assert np.isnan(Structure.from_atoms(molecule("H2O")).volume)
    slab = bulk("Cu")
    slab.pbc = [True, True, False]
    assert np.isnan(Structure.from_atoms(slab).volume)


def test_volume_of_a_left_handed_cell():
    structure = Structure(np.array([1]), np.zeros((1, 3)), np.diag([2.0, 3.0, -4.0]), np.ones(3, dtype=bool))
    assert structure.volume == pytest.approx(24)
