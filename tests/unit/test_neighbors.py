"""The neighbour list against all pairs of all images, and structures it refuses."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unnp.atoms.neighbors import bond_vectors, bonds
from unnp.atoms.structure import Structure
from unnp.errors import DataError

CUTOFF = 2.5


def all_bonds(structure: Structure) -> list[tuple[int, ...]]:
    """Return every directed bond (i, j, S), sorted."""
    found = []
    for shift in itertools.product(*[range(-9, 10) if periodic else range(1) for periodic in structure.pbc]):
        vectors = structure.positions[None] - structure.positions[:, None] + np.array(shift) @ structure.cell
        near = np.linalg.norm(vectors, axis=2) < CUTOFF
        found += [(int(i), int(j), *shift) for i, j in zip(*np.nonzero(near), strict=True) if i != j or any(shift)]
    return sorted(found)


@st.composite
def structures(draw: st.DrawFn) -> Structure:
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(1, 4))
    pbc = np.array(draw(st.tuples(st.booleans(), st.booleans(), st.booleans())))
    cell = np.diag(random.uniform(1.8, 4.0, 3)) + random.uniform(-0.7, 0.7, (3, 3))
    if draw(st.booleans()):
        cell = np.where(pbc[:, None], cell, 0.0)
    if draw(st.booleans()):
        cell = cell[[1, 0, 2]]
        pbc = pbc[[1, 0, 2]]
    return Structure(np.ones(n, dtype=int), random.uniform(-4, 7, (n, 3)), cell, pbc)


@settings(max_examples=60, deadline=None)
@given(structures())
def test_every_bond_once(structure):
    index, shifts = bonds(structure, CUTOFF)
    assert index.dtype == shifts.dtype == np.int64
    listed = [(int(i), int(j), *map(int, s)) for i, j, s in zip(*index, shifts, strict=True)]
    other_way = [(j, i, -a, -b, -c) for i, j, a, b, c in listed]
    assert sorted(listed + other_way) == all_bonds(structure)
    vectors = bond_vectors(structure, index, shifts)
    assert vectors.shape == (len(listed), 3)
    assert (np.linalg.norm(vectors, axis=1) < CUTOFF).all()


def test_direction_of_a_bond():
    structure = Structure(
        np.array([1, 1]), np.array([[0.2, 0, 0], [2.9, 0, 0]]), 3 * np.eye(3), np.array([1, 0, 0], bool)
    )
    index, shifts = bonds(structure, 1.0)
    (vector,) = bond_vectors(structure, index, shifts)
    expected = 0.3 if index[0, 0] == 1 else -0.3
    np.testing.assert_allclose(vector, [expected, 0, 0], atol=1e-12)


@pytest.mark.parametrize("pbc", [False, True])
def test_no_atoms(pbc):
    index, shifts = bonds(Structure(np.zeros(0, int), np.zeros((0, 3)), 3 * np.eye(3), np.full(3, pbc)), 2.0)
    assert index.shape == (2, 0)
    assert shifts.shape == (0, 3)


def refused(positions=((0.0, 0, 0), (1, 1, 1)), cell=None, pbc=(True, True, True)) -> Structure:
    cell = 4 * np.eye(3) if cell is None else np.array(cell, dtype=float)
    return Structure(np.array([1, 1]), np.array(positions, dtype=float), cell, np.array(pbc), source="a.xyz frame 7")


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        (refused([[0, 0, 0], [0, np.nan, 0]]), "not finite"),
        (refused([[0, 0, 0], [np.inf, 0, 0]]), "not finite"),
        (refused(cell=[[1, 0, 0], [0, np.nan, 0], [0, 0, 1]]), "not finite"),
        (refused(cell=np.zeros((3, 3))), "lattice vector of zero length"),
        (refused(cell=[[4, 0, 0], [0, 4, 0], [4, 4, 0]]), "linearly dependent"),
        (refused(cell=[[4, 0, 0], [0, 4, 0], [4, 4, 1e-9]]), "linearly dependent"),
        (refused(cell=[[4, 0, 0], [4, 0, 0], [0, 0, 0]], pbc=(True, True, False)), "linearly dependent"),
        (refused([[0, 0, 0], [1e6, 0, 0]], pbc=(False, False, False)), "an atom has flown away"),
        (refused([[0, 0, 0], [0, 0, 1e9]], pbc=(True, True, False)), "an atom has flown away"),
        (refused(cell=np.diag([4.0, 4.0, 1e7])), "not in Angstrom"),
    ],
)
def test_structures_that_are_refused(structure, message):
    """With the place they come from; none of them may hang or crash the list."""
    with pytest.raises(DataError, match=rf"{message}.*|.*\(a.xyz frame 7\).*{message}") as error:
        bonds(structure, CUTOFF)
    assert "(a.xyz frame 7)" in str(error.value)


def test_atoms_far_outside_of_a_periodic_cell_are_fine():
    structure = refused([[0, 0, 0], [1e6 + 1, 1, 1]])
    assert bonds(structure, CUTOFF)[0].shape[1] > 0


def test_two_atoms_at_one_place():
    structure = refused([[1, 1, 1], [1, 1, 1]])
    with pytest.raises(DataError, match=r"atoms 0 and 1 are at the same place \(a.xyz frame 7\)"):
        bond_vectors(structure, *bonds(structure, CUTOFF))
