"""The energy knows neither the frame of reference nor the order of atoms and bonds."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure


def transformed(structure: Structure, matrix: np.ndarray) -> Structure:
    return replace(structure, positions=structure.positions @ matrix.T, cell=structure.cell @ matrix.T)


MATRICES = {
    "rotation": Rotation.from_rotvec([0.7, -1.1, 0.4]).as_matrix(),
    "reflection": np.diag([1.0, 1.0, -1.0]),
    "inversion": -np.eye(3),
    "rotoreflection": Rotation.from_rotvec([-0.3, 0.2, 2.4]).as_matrix() @ np.diag([-1.0, 1.0, 1.0]),
}


@pytest.mark.parametrize("name", MATRICES)
def test_rotations_and_reflections(model, name):
    matrix, structure = MATRICES[name], model.crystal()
    before, after = model.predict(structure), model.predict(transformed(structure, matrix))
    np.testing.assert_allclose(after.atomic_energy, before.atomic_energy, atol=1e-11)
    size = before.forces.abs().max().item()
    assert size > 1e-3
    np.testing.assert_allclose(after.forces, before.forces.numpy() @ matrix.T, atol=1e-11 * max(size, 1))
    np.testing.assert_allclose(after.stress[0], matrix @ before.stress[0].numpy() @ matrix.T, atol=1e-11 * max(size, 1))


def test_translation(model):
    structure = model.crystal()
    shifted = replace(structure, positions=structure.positions + np.array([0.37, -5.1, 11.3]))
    before, after = model.predict(structure), model.predict(shifted)
    np.testing.assert_allclose(after.atomic_energy, before.atomic_energy, atol=1e-11)
    np.testing.assert_allclose(after.forces, before.forces, atol=1e-10)


def test_atoms_in_another_image(model):
    structure = model.crystal()
    shifts = np.array([[1, 0, 0], [0, -2, 0], [0, 0, 1], [-1, 3, 0]])
    moved = replace(structure, positions=structure.positions + shifts @ structure.cell)
    before, after = model.predict(structure), model.predict(moved)
    np.testing.assert_allclose(after.atomic_energy, before.atomic_energy, atol=1e-11)
    np.testing.assert_allclose(after.forces, before.forces, atol=1e-10)


def test_another_cell_of_the_same_lattice(model):
    structure = model.crystal()
    cell = np.array([[1, 1, 0], [0, 1, -1], [0, 0, 1]]) @ structure.cell
    before, after = model.predict(structure), model.predict(replace(structure, cell=cell))
    np.testing.assert_allclose(after.forces, before.forces, atol=1e-10)
    np.testing.assert_allclose(after.stress, before.stress, atol=1e-11)


def test_permutation_of_atoms(model):
    structure, order = model.cluster(), np.array([3, 0, 4, 2, 1])
    permuted = replace(structure, numbers=structure.numbers[order], positions=structure.positions[order])
    before, after = model.predict(structure), model.predict(permuted)
    np.testing.assert_allclose(after.atomic_energy, before.atomic_energy[order], atol=1e-12)
    np.testing.assert_allclose(after.forces, before.forces[order], atol=1e-11)


def test_elements_are_told_apart(model):
    structure = model.cluster()
    swapped = replace(structure, numbers=np.where(structure.numbers == 13, 28, 13))
    energies = model.predict(structure).atomic_energy, model.predict(swapped).atomic_energy
    assert (energies[0] - energies[1]).abs().min() > 1e-3


@pytest.mark.parametrize("kind", ["crystal", "cluster"])
def test_order_and_direction_of_bonds(model, kind):
    """Bonds have no order, and of (i, j, r) and (j, i, -r) either may be listed."""
    graph = model.graph(getattr(model, kind)())
    order = torch.from_numpy(np.random.default_rng(1).permutation(graph.n_bonds))
    swap = torch.arange(graph.n_bonds) % 2 == 0
    index, vector = graph.bond_index[:, order], graph.bond_vector[order]
    index = torch.where(swap, index.flip(0), index)
    vector = torch.where(swap.unsqueeze(1), -vector, vector)
    other = Graph(graph.species, index, vector, graph.atom_graph, graph.volume)
    before, after = model.predict(graph, atomic_virial=True), model.predict(other, atomic_virial=True)
    size = max(before.forces.abs().max().item(), 1.0)
    np.testing.assert_allclose(after.atomic_energy, before.atomic_energy, atol=1e-12 * size)
    np.testing.assert_allclose(after.forces, before.forces, atol=1e-11 * size)
    np.testing.assert_allclose(after.atomic_virial, before.atomic_virial, atol=1e-11 * size)
