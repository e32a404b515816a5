"""Sums over angles are those over all triplets, in small cells where atoms are bonded to their own images."""

import numpy as np
import pytest
import torch
from numpy.polynomial import legendre
from torch import Tensor
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.core import core
from unnp.models.checkpoint import number_type
from unnp.nn.angles import AngularSums
from unnp.nn.edges import Edges, directed
from unnp.nn.system import System
from unnp.nn.triplets import pairs

CHANNELS = 3
scripted = pytest.mark.parametrize("script", [False, True], ids=["eager", "TorchScript"])


def crystal(n_atoms: int) -> tuple[System, Edges]:
    """Return atoms in a cell narrower than the cutoff, and one atom more, without neighbours."""
    rng = np.random.default_rng(0)
    cell = 2.6 * (np.eye(3) + rng.uniform(-0.1, 0.1, (3, 3)))
    periodic = np.ones(3, dtype=bool)
    structure = Structure(np.full(n_atoms, 13), rng.uniform(0, 1, (n_atoms, 3)) @ cell, cell, periodic)
    graph = Graph.of(structure, Elements(["Al"]), 3.0)
    system = System(*graph.arguments[:4], 1, n_atoms, 0)
    system = system._replace(species=torch.zeros(n_atoms + 1, dtype=torch.int64), n_updated=n_atoms + 1)
    return system, directed(system.bond_index, system.bond_vector, n_atoms + 1)


def by_triplets(weights: Tensor, unit: Tensor, edges: Edges, n_atoms: int) -> Tensor:
    """Return the sums for weights (n_edges, n_degrees, channels), by degree."""
    a, b = pairs(edges, n_atoms)
    e, f = torch.cat([a, b]), torch.cat([b, a])
    n_degrees = weights.shape[1]
    factor = np.sqrt((2 * np.arange(n_degrees) + 1) / (4 * np.pi))
    p = torch.tensor(legendre.legvander((unit[e] * unit[f]).sum(1).numpy(), n_degrees - 1) * factor)
    return torch.zeros_like(weights).index_add(0, e, p.unsqueeze(2) * weights[f])


def made(n_degrees: int, script: bool) -> AngularSums:
    class Module(AngularSums):
        def forward(self, weights: Tensor, unit: Tensor, receiver: Tensor, system: System) -> tuple[Tensor, Tensor]:
            around = self.neighborhoods(unit, receiver, system)
            return self.mixed(weights, around), self.resolved(weights[:, 0], around)

    core()  # registers the exchange, which TorchScript looks for
    module = Module(n_degrees)
    return torch.jit.script(module) if script else module


@scripted
@pytest.mark.parametrize("n_degrees", [1, 4, 7])
@pytest.mark.parametrize("n_atoms", [1, 4])
def test_sums_over_all_other_edges(n_atoms, n_degrees, script):
    system, edges = crystal(n_atoms)
    unit = edges.vector / edges.vector.norm(dim=1, keepdim=True)
    torch.manual_seed(0)
    weights = torch.randn(len(unit), n_degrees, CHANNELS, dtype=torch.float64)
    with number_type("float64"):
        mixed, resolved = made(n_degrees, script)(weights, unit, edges.receiver, system)
    expected = by_triplets(weights, unit, edges, n_atoms + 1).sum(1)
    np.testing.assert_allclose(mixed, expected, atol=1e-11)
    same = weights[:, :1].expand_as(weights)
    np.testing.assert_allclose(resolved, by_triplets(same, unit, edges, n_atoms + 1), atol=1e-11)


@scripted
@pytest.mark.parametrize("n_atoms", [0, 2])
def test_no_edges(n_atoms, script):
    species, none = torch.zeros(n_atoms, dtype=torch.int64), torch.zeros(2, 0, dtype=torch.int64)
    system = System(species, none, torch.zeros(0, 3), species, 1, n_atoms, 0)
    mixed, resolved = made(3, script)(torch.zeros(0, 3, CHANNELS), torch.zeros(0, 3), none[0], system)
    assert mixed.shape == (0, CHANNELS)
    assert resolved.shape == (0, 3, CHANNELS)


def test_one_neighbor_has_no_angle():
    index, vector = torch.tensor([[0], [1]]), torch.tensor([[0.0, 0.3, 0.4]], dtype=torch.float64)
    species = torch.zeros(2, dtype=torch.int64)
    system, edges = System(species, index, vector, species, 1, 2, 0), directed(index, vector, 2)
    with number_type("float64"):
        mixed, _ = made(5, False)(torch.ones(2, 5, CHANNELS).double(), 2 * edges.vector, edges.receiver, system)
    assert mixed.abs().max() < 1e-14
