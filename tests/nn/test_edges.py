"""Directed edges and triplets against loops, in small cells where atoms are bonded to their own images, and with ghosts."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.nn.edges import Edges, bonded, directed, within
from unnp.nn.triplets import chains, pairs

CUTOFF = 3.0
scripted = pytest.mark.parametrize("script", [False, True], ids=["eager", "TorchScript"])


def crystal(n_atoms: int, seed: int = 0) -> Graph:
    """Return atoms in a cell narrower than the cutoff."""
    rng = np.random.default_rng(seed)
    cell = 2.6 * (np.eye(3) + rng.uniform(-0.1, 0.1, (3, 3)))
    structure = Structure(np.full(n_atoms, 13), rng.uniform(0, 1, (n_atoms, 3)) @ cell, cell, np.ones(3, dtype=bool))
    return Graph.of(structure, Elements(["Al"]), CUTOFF)


def edges_of(graph: Graph, n_updated: int | None = None) -> Edges:
    return directed(graph.bond_index, graph.bond_vector, graph.n_atoms if n_updated is None else n_updated)


def as_set(first: Tensor, second: Tensor) -> set[tuple[int, int]]:
    found = list(zip(first.tolist(), second.tolist(), strict=True))
    assert len(found) == len(set(found))
    return set(found)


@scripted
@pytest.mark.parametrize("n_atoms", [1, 2, 4])
def test_both_directions_of_every_bond(n_atoms, script):
    graph = crystal(n_atoms)
    make = torch.jit.script(directed) if script else directed
    receiver, sender, vector, reverse, bond = make(graph.bond_index, graph.bond_vector, n_atoms)
    i, j = graph.bond_index
    assert n_atoms > 1 or (i == j).all()
    assert torch.equal(receiver, torch.cat([i, j]))
    assert torch.equal(sender, torch.cat([j, i]))
    assert torch.equal(vector, torch.cat([graph.bond_vector, -graph.bond_vector]))
    everyone = torch.arange(2 * graph.n_bonds)
    assert torch.equal(reverse[reverse], everyone)
    assert (reverse != everyone).all()
    assert torch.equal(vector[reverse], -vector)
    assert torch.equal(receiver[reverse], sender)
    assert torch.equal(bond[reverse], bond)


def test_ghosts_receive_nothing():
    index = torch.tensor([[0, 0, 1, 1], [1, 2, 3, 1]])
    vector = torch.randn(4, 3)
    edges = directed(index, vector, 2)
    assert edges.receiver.tolist() == [0, 0, 1, 1, 1, 1]
    assert edges.sender.tolist() == [1, 2, 3, 1, 0, 1]
    assert edges.opposite.tolist() == [4, -1, -1, 5, 0, 3]
    assert edges.bond.tolist() == [0, 1, 2, 3, 0, 3]
    assert torch.equal(edges.vector, torch.cat([vector, -vector[[0, 3]]]))


def test_no_bonds():
    edges = directed(torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0, 3), 3)
    assert all(part.shape[0] == 0 for part in edges)
    assert all(part.shape == (0,) for part in (*chains(edges, 3), *pairs(edges, 3)))


@scripted
def test_bonds_within_a_cutoff(script):
    graph = crystal(3)
    select = torch.jit.script(within) if script else within
    index, vector = select(graph.bond_index, graph.bond_vector, 2.0)
    near = graph.bond_vector.norm(dim=1) < 2.0
    assert 0 < near.sum() < graph.n_bonds
    assert torch.equal(index, graph.bond_index[:, near])
    assert torch.equal(vector, graph.bond_vector[near])


def test_a_bond_at_the_cutoff_is_out_and_one_that_is_no_number_is_in():
    vector = torch.tensor([[0.0, 0.0, 2.0], [0.0, 0.0, 1.999], [torch.nan, 0.0, 0.0]])
    index, _ = within(torch.tensor([[0, 1, 2], [3, 4, 5]]), vector, 2.0)
    assert index.tolist() == [[1, 2], [4, 5]]


def test_which_atoms_have_bonds():
    index = torch.tensor([[0, 3], [4, 3]])
    assert bonded(index, 6, 6).tolist() == [True, False, False, True, True, False]
    assert bonded(index, 6, 4).tolist() == [True, False, False, True]
    assert not bonded(index[:, :0], 2, 2).any()


@scripted
@pytest.mark.parametrize("n_atoms", [1, 2, 3])
def test_chains(n_atoms, script):
    """By places in space: k -> j -> i turns back only where k and i are the same place."""
    graph = crystal(n_atoms)
    edges = edges_of(graph)
    found = as_set(*(torch.jit.script(chains) if script else chains)(edges, n_atoms))
    expected = set()
    for first, second in itertools.product(range(2 * graph.n_bonds), repeat=2):
        if edges.receiver[first] == edges.sender[second]:
            apart = edges.vector[first] + edges.vector[second]  # from i to k
            if edges.sender[first] != edges.receiver[second] or apart.norm() > 1e-9:
                expected.add((first, second))
    assert found == expected
    same = [edges.sender[a] == edges.receiver[b] for a, b in found]
    assert any(same)  # other images of i are neighbours like any other


@scripted
@pytest.mark.parametrize("n_atoms", [1, 2, 3])
def test_pairs(n_atoms, script):
    graph = crystal(n_atoms)
    edges = edges_of(graph)
    found = as_set(*(torch.jit.script(pairs) if script else pairs)(edges, n_atoms))
    n_edges = 2 * graph.n_bonds
    expected = {(a, b) for a in range(n_edges) for b in range(a + 1, n_edges) if edges.receiver[a] == edges.receiver[b]}
    assert found == expected
    assert all((edges.vector[a] - edges.vector[b]).norm() > 1e-9 for a, b in found)


def test_chains_through_owned_atoms_only():
    """Atom 2 is a ghost: what it receives is not known here."""
    edges = directed(torch.tensor([[0, 1], [1, 2]]), torch.randn(2, 3), 2)
    through = {
        (edges.sender[a].item(), edges.receiver[a].item(), edges.receiver[b].item())
        for a, b in zip(*chains(edges, 3), strict=True)
    }
    assert through == {(2, 1, 0)}


@pytest.mark.parametrize("n_atoms", [1, 2])
def test_angles_are_those_of_a_supercell(n_atoms):
    """The sum over chains and over pairs of a smooth function of the angle is extensive."""
    small = crystal(n_atoms)
    rng = np.random.default_rng(0)
    cell = 2.6 * (np.eye(3) + rng.uniform(-0.1, 0.1, (3, 3)))
    positions = rng.uniform(0, 1, (n_atoms, 3)) @ cell
    shifts = np.array(list(np.ndindex(3, 3, 3))) @ cell
    many = Structure(
        np.full(27 * n_atoms, 13), (shifts[:, None] + positions).reshape(-1, 3), 3 * cell, np.ones(3, dtype=bool)
    )

    def sums(graph: Graph) -> list[float]:
        edges = edges_of(graph)
        a, b = chains(edges, graph.n_atoms)
        c, d = pairs(edges, graph.n_atoms)
        v = edges.vector
        return [torch.exp(-(v[a] * v[b]).sum(1)).sum().item(), torch.exp((v[c] * v[d]).sum(1)).sum().item()]

    large = sums(Graph.of(many, Elements(["Al"]), CUTOFF))
    np.testing.assert_allclose(large, 27 * np.array(sums(small)), rtol=1e-11)
