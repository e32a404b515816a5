"""GemNet-T: its triplets are those of a loop over all edges, and its scaling factors fit the training data."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.polynomial import legendre
from scipy.special import spherical_jn
from torch import Tensor
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.models import Head, Potential, TrainingData, build_potential, potential_from_description
from unnp.models.architectures.gemnet_t.layers import Triplets
from unnp.models.checkpoint import number_type
from unnp.nn.edges import directed
from unnp.nn.scaling import Scaling
from unnp.nn.spherical_bessel import spherical_bessel_zeros
from unnp.nn.system import System
from unnp.testing import example

SYMBOLS = ["Al", "Ni"]


def graph(n_atoms: int, seed: int = 0) -> Graph:
    """Return atoms in a cell that is narrower than the cutoff."""
    rng = np.random.default_rng(seed)
    cell = 3.0 * (np.eye(3) + rng.uniform(-0.1, 0.1, (3, 3)))
    positions = (np.arange(n_atoms)[:, None] / n_atoms + rng.uniform(0, 0.2, (n_atoms, 3))) @ cell
    structure = Structure(rng.choice([13, 28], n_atoms), positions, cell, np.ones(3, dtype=bool))
    return Graph.of(structure, Elements(SYMBOLS), 4.0)


def potential(data: TrainingData) -> Potential:
    torch.manual_seed(0)
    with number_type("float64"):
        return build_potential(example("gemnet-t"), SYMBOLS, [Head(1.0, dict.fromkeys(SYMBOLS, 0.0))], data)


def system_of(data: Graph) -> System:
    return System(*data.arguments[:4], data.n_graphs, data.n_atoms, 0)


def triplets_by_loop(layer: Triplets, network: torch.nn.Module, m: Tensor, data: Graph) -> Tensor:
    """Return what a triplet layer makes of messages, by a loop over all pairs of edges that an atom receives."""
    config = network.config
    edges = directed(data.bond_index, data.bond_vector, data.n_atoms)
    distance, x = edges.vector.norm(dim=1), edges.vector.norm(dim=1) / config.cutoff
    p, n = config.cutoff_exponent, config.angular_functions
    envelope = 1 - (p + 1) * (p + 2) / 2 * x**p + p * (p + 2) * x ** (p + 1) - p * (p + 1) / 2 * x ** (p + 2)
    waves = np.pi * torch.arange(1, config.radial_functions + 1, dtype=torch.float64)
    radial = (2 * config.cutoff) ** 0.5 * (envelope / distance).unsqueeze(1) * torch.sin(waves * x.unsqueeze(1))
    zeros = spherical_bessel_zeros(n, config.radial_functions)
    spherical = np.stack(
        [2**0.5 * spherical_jn(k, np.outer(x, z)) / abs(spherical_jn(k + 1, z)) for k, z in enumerate(zeros)], axis=1
    )
    whole = layer.arriving(m)
    narrow = layer.down(layer.scale_radial.factor * whole * layer.radial(network.combine[0](radial)))
    weights = network.circular.weight.reshape(n, -1, config.radial_functions)
    rows = []
    for e in range(len(m)):
        total = torch.zeros(config.circular_channels, config.angular_channels, dtype=torch.float64)
        for f in range(len(m)):
            if f == e or edges.receiver[f] != edges.receiver[e]:
                continue
            cosine = float(edges.vector[e] @ edges.vector[f] / distance[e] / distance[f])
            y = legendre.legvander(np.array([cosine]), n - 1)[0] * np.sqrt((2 * np.arange(n) + 1) / (4 * np.pi))
            basis = torch.einsum("l,ln,lbn->b", torch.tensor(y), torch.tensor(spherical[e]) * envelope[e], weights)
            total = total + torch.outer(basis, narrow[f])
        rows.append(layer.scale_sum.factor * layer.bilinear(total.flatten()))
    t = torch.stack(rows)
    return (layer.here(t) + layer.there(t)[edges.opposite]) / 2**0.5


@pytest.mark.parametrize("n_atoms", [1, 3])
def test_triplets_are_those_of_a_loop(n_atoms, monkeypatch):
    network, data = potential(TrainingData(20.0)).representation, graph(n_atoms)
    calls = []
    forward = Triplets.forward
    monkeypatch.setattr(
        Triplets,
        "forward",
        lambda self, m, geometry: calls.append((self, m, forward(self, m, geometry))) or calls[-1][2],
    )
    with torch.no_grad():
        network.features(system_of(data))
        assert len(calls) == network.config.blocks
        for layer, m, found in calls:
            expected = triplets_by_loop(layer, network, m, data)
            assert expected.abs().max() > 1e-3
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_scaling_factors_keep_the_size_of_features():
    data = TrainingData(20.0, [graph(n, seed=n) for n in (1, 2, 3, 4)])
    network = potential(data).representation
    ratios = []
    scalings = [part for part in network.modules() if isinstance(part, Scaling)]
    for part in scalings:
        part.register_forward_hook(
            lambda _, inputs, output: ratios.append(float(output.square().mean() / inputs[1].square().mean()))
        )
    with torch.no_grad():
        network.features(data.sample(torch.float64, 10**9))
    assert len(ratios) == len(scalings) == 4 * network.config.blocks + 1
    np.testing.assert_allclose(ratios, 1.0, rtol=1e-10)


def test_scaling_factors_are_stored():
    fitted = potential(TrainingData(20.0, [graph(3)]))
    factors = [part.factor for part in fitted.modules() if isinstance(part, Scaling)]
    assert all(factor != 20.0**-0.5 and factor != 1.0 for factor in factors)
    with number_type("float64"):
        other = potential_from_description(fitted.describe())
    other.load_state_dict(fitted.state_dict())
    assert [part.factor for part in other.modules() if isinstance(part, Scaling)] == factors


def test_without_bonds_the_factors_are_estimates():
    alone = Graph.of(Structure(np.array([13]), np.zeros((1, 3))), Elements(SYMBOLS), 4.0)
    network = potential(TrainingData(16.0, [alone])).representation
    found = {part.of_sum: float(part.factor) for part in network.modules() if isinstance(part, Scaling)}
    assert found == {False: 1.0, True: 0.25}


@pytest.mark.parametrize(("times", "kept"), [(100, range(11)), (3, [0, 4, 8]), (0, [0])])
def test_a_sample_is_spread_over_the_data(times, kept):
    one = graph(2)
    graphs = [replace(one, bond_vector=one.bond_vector + k) for k in range(11)]
    sample = TrainingData(20.0, graphs).sample(torch.float64, times * one.n_bonds)
    assert sample.n_graphs == len(kept)
    assert torch.equal(sample.bond_vector, torch.cat([graphs[k].bond_vector for k in kept]))
    assert TrainingData(20.0).sample(torch.float64, times) is None
