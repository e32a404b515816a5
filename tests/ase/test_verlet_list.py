"""The neighbour list with a skin hands out exactly the bonds that a new list would."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from unnp.atoms.neighbors import bond_vectors, bonds
from unnp.atoms.structure import Structure
from unnp.atoms.verlet_list import VerletList
from unnp.errors import DataError

CUTOFF = 3.5


def undirected(index: np.ndarray, vectors: np.ndarray) -> list[tuple]:
    """Bonds as a sorted list that does not depend on the order or the direction in which they are listed."""
    rounded = np.round(vectors, 6) + 0.0
    both = []
    for (i, j), v in zip(index.T, rounded, strict=True):
        both.append(min((int(i), int(j), *v), (int(j), int(i), *(-v + 0.0))))
    return sorted(both)


def fresh(structure: Structure) -> list[tuple]:
    index, shifts = bonds(structure, CUTOFF)
    return undirected(index, bond_vectors(structure, index, shifts))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    skin=st.sampled_from([0.0, 0.3, 1.0, 2.5]),
    step=st.sampled_from([0.02, 0.1, 0.4]),
    pbc=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    small=st.booleans(),
)
def test_random_walks_see_the_bonds_of_a_new_list(seed, skin, step, pbc, small):
    random = np.random.default_rng(seed)
    atoms = bulk("Al", a=2.7) if small else bulk("Al", cubic=True) * (2, 1, 1)
    structure = Structure.from_atoms(atoms)
    structure.pbc = np.array(pbc)
    verlet = VerletList(CUTOFF, skin)
    for move in range(15):
        structure.positions += random.normal(scale=step, size=structure.positions.shape)
        if move == 6:
            structure.cell = structure.cell @ (np.eye(3) + random.normal(scale=0.05, size=(3, 3)))
        if move == 9:
            structure.pbc = ~structure.pbc
        if move == 12:
            structure.positions[0] += structure.cell[0]
        assert undirected(*verlet.bonds(structure)) == fresh(structure)


def test_the_list_is_kept_until_half_the_skin_and_not_longer():
    structure = Structure.from_atoms(bulk("Al", cubic=True))
    verlet = VerletList(CUTOFF, 1.0)
    verlet.bonds(structure)
    structure.positions[1, 0] += 0.499
    verlet.bonds(structure)
    assert verlet.n_builds == 1
    structure.positions[1, 0] += 0.002
    verlet.bonds(structure)
    assert verlet.n_builds == 2


def test_atoms_that_approach_each_other_by_a_whole_skin_are_found():
    positions = np.array([[0.0, 0.0, 0.0], [CUTOFF + 0.99, 0.0, 0.0]])
    structure = Structure(np.array([13, 13]), positions)
    verlet = VerletList(CUTOFF, 1.0)
    assert verlet.bonds(structure)[0].shape == (2, 0)
    structure.positions[0, 0] += 0.499
    structure.positions[1, 0] -= 0.499
    index, vectors = verlet.bonds(structure)
    assert verlet.n_builds == 1
    assert index.shape == (2, 1)
    assert abs(vectors[0, 0]) == pytest.approx(CUTOFF + 0.99 - 0.998)


def test_the_list_does_not_follow_arrays_that_are_changed_in_place():
    structure = Structure.from_atoms(bulk("Al", cubic=True))
    verlet = VerletList(CUTOFF, 0.2)
    verlet.bonds(structure)
    structure.cell *= 0.9
    structure.positions *= 0.9
    assert undirected(*verlet.bonds(structure)) == fresh(structure)


def test_a_periodic_direction_without_a_lattice_vector_is_an_error():
    structure = Structure(np.array([13]), np.zeros((1, 3)), pbc=np.array([True, False, False]))
    with pytest.raises(DataError, match="zero length"):
        VerletList(CUTOFF, 1.0).bonds(structure)
