"""Graphs and their union."""

import numpy as np
import pytest
import torch
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.errors import ModelError

ELEMENTS = Elements(["Al", "Ni"])


def dimer(z: int = 28, distance: float = 2.0) -> Structure:
    return Structure(np.array([13, z]), np.array([[0, 0, 0], [distance, 0, 0]]))


def cube(a: float = 3.0) -> Structure:
    return Structure(np.array([28]), np.zeros((1, 3)), a * np.eye(3), np.ones(3, dtype=bool))


def test_a_dimer():
    graph = Graph.of(dimer(), ELEMENTS, 3.0)
    assert (graph.n_atoms, graph.n_bonds, graph.n_graphs) == (2, 1, 1)
    assert graph.species.tolist() == [0, 1]
    i = graph.bond_index[0, 0].item()
    assert graph.bond_vector.tolist() == [[2.0 if i == 0 else -2.0, 0, 0]]
    assert graph.bond_vector.dtype == torch.float64
    assert graph.volume.isnan().all()
    assert Graph.of(dimer(), ELEMENTS, 1.9).n_bonds == 0


def test_an_atom_and_its_images():
    graph = Graph.of(cube(), ELEMENTS, 3.1)
    assert graph.bond_index.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert graph.volume.item() == pytest.approx(27)


def test_union():
    parts = [Graph.of(dimer(), ELEMENTS, 3.0), Graph.of(cube(), ELEMENTS, 3.1), Graph.of(dimer(13), ELEMENTS, 3.0)]
    batch = Graph.batch([parts[0], Graph.batch(parts[1:])])
    assert (batch.n_atoms, batch.n_bonds, batch.n_graphs) == (5, 5, 3)
    assert batch.atom_graph.tolist() == [0, 0, 1, 2, 2]
    assert batch.species.tolist() == [0, 1, 1, 0, 0]
    assert sorted(batch.bond_index[:, 0].tolist()) == [0, 1]
    assert batch.bond_index[:, 1:4].tolist() == [[2] * 3] * 2
    assert sorted(batch.bond_index[:, 4].tolist()) == [3, 4]
    assert torch.equal(batch.bond_vector, torch.cat([g.bond_vector for g in parts]))
    assert batch.volume.isnan().tolist() == [True, False, True]


def test_number_type_of_a_graph_is_that_of_its_vectors():
    graph = Graph.of(cube(), ELEMENTS, 3.1).to("cpu", torch.float32)
    assert graph.bond_vector.dtype == torch.float32
    assert graph.volume.dtype == torch.float64
    assert graph.species.dtype == graph.bond_index.dtype == torch.int64


def test_unknown_elements():
    with pytest.raises(ModelError, match="contains Cu"):
        Graph.of(dimer(29), ELEMENTS, 3.0)
