"""SchNet and PaiNN are the published networks: equal to schnetpack 2.1.1 with the same weights, on random periodic structures.

It pins an older sympy than torch asks for, and its top module does not import with recent versions of torch:
``pip install --no-deps schnetpack==2.1.1``, of which only the networks are imported here.
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from math import pi, sqrt
from types import ModuleType
from typing import Any

import ase
import numpy as np
import pytest
import torch
from ase.neighborlist import neighbor_list
from torch import Tensor, nn
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import predict
from unnp.models import Head, Potential, PotentialConfig, TrainingData, build_potential
from unnp.models.checkpoint import number_type
from unnp.nn.activations import ShiftedSoftplus
from unnp.nn.cutoff import CutoffFunction
from unnp.nn.system import System

SYMBOLS = ["Ni", "Al", "O"]
NUMBERS = [28, 13, 8]
SMALL = {
    "schnet": {"cutoff": 4.5, "features": 12, "interactions": 3, "gaussians": 9, "average_neighbors": 1.0},
    "painn": {"cutoff": 4.5, "features": 12, "layers": 3, "radial_functions": 7, "average_neighbors": 1.0},
}


@dataclass(frozen=True)
class Case:
    """An architecture with a preset or settings."""

    architecture: str
    settings: dict[str, Any]
    preset: str | None = None


CASES = {
    f"{name} {label}": Case(name, settings, preset)
    for name, small in SMALL.items()
    for label, settings, preset in [
        ("published", {}, "published"),
        ("half cosine", {**small, "cutoff_function": "cosine"}, None),
        ("smooth", small, None),
        ("sums divided", {**small, "average_neighbors": 30.0}, None),
        ("one layer", {**small, "interactions" if name == "schnet" else "layers": 1}, None),
    ]
}


@pytest.fixture(scope="module")
def spk() -> Iterator[ModuleType]:
    """Return schnetpack's networks, without the rest of the package."""
    spec = importlib.util.find_spec("schnetpack")
    if spec is None:
        pytest.skip("needs schnetpack (make parity)")
    package = ModuleType("schnetpack")
    package.__path__ = list(spec.submodule_search_locations or [])
    before = dict(sys.modules)
    sys.modules["schnetpack"] = package
    try:
        import_module("schnetpack.representation")
        yield package
    finally:
        for name in set(sys.modules) - set(before):
            if name.partition(".")[0] == "schnetpack":
                del sys.modules[name]


def copy(theirs: nn.Linear, ours: nn.Linear, rows: Any = slice(None), scale: float = 1.0) -> None:
    """Copy a linear map: of its outputs the rows given, times a factor."""
    ours.weight.copy_(scale * theirs.weight[rows])
    if ours.bias is not None:
        ours.bias.copy_(scale * theirs.bias[rows])


def blocks(n: int, *numbers: int) -> list[int]:
    """Return the rows of the blocks given, each of n rows."""
    return [n * k + row for k in numbers for row in range(n)]


def copy_schnet(theirs: Any, ours: Any) -> None:
    for block, layer in zip(theirs.interactions, ours.layers, strict=True):
        copy(block.in2f, layer.send)
        copy(block.filter_network[0], layer.filter[0])
        copy(block.filter_network[1], layer.filter[2], scale=1 / layer.norm)
        copy(block.f2out[0], layer.update[0])
        copy(block.f2out[1], layer.update[2])


def copy_painn(theirs: Any, ours: Any) -> None:
    """Theirs splits filters and messages into (scalars, along the bond, vectors), gates into (scalars, vectors, product)."""
    n, config = ours.n_features, ours.config
    for k, (layer, message, update) in enumerate(zip(ours.layers, theirs.interactions, theirs.mixing, strict=True)):
        parts = [0, 1] if layer.first else [0, 1, 2]
        rows = blocks(n, *[3 * k + part for part in parts])
        own = layer.message
        own.filter.weight.copy_(theirs.filter_net.weight[rows] / (sqrt(2 / config.cutoff) * own.norm))
        own.filter.bias.copy_(theirs.filter_net.bias[rows] / own.norm)
        copy(message.interatomic_context_net[0], own.send[0])
        copy(message.interatomic_context_net[1], own.send[2], blocks(n, *parts))
        copy(update.mu_channel_mix, layer.update.mix, blocks(n, 1, 0))
        gates = update.intraatomic_context_net
        copy(gates[0], layer.update.gates[0])
        # our norm is shorter by epsilon, so that it is 0 at 0
        layer.update.gates[0].bias.add_(config.norm_epsilon * gates[0].weight[:, n:].sum(1))
        copy(gates[1], layer.update.gates[2], blocks(n, 0, 2) if layer.update.last else blocks(n, 0, 2, 1))


COPY: dict[str, Callable[[Any, Any], None]] = {"schnet": copy_schnet, "painn": copy_painn}


def their_network(spk: Any, name: str, config: Any) -> nn.Module:
    """Return schnetpack's network of our settings, in float64, with random weights and biases."""
    n, cutoff = config.features, config.cutoff
    published = spk.nn.CosineCutoff(cutoff)
    smooth = CutoffFunction("polynomial", cutoff, config.cutoff_exponent)
    envelope = published if config.cutoff_function == "cosine" else smooth
    if name == "schnet":
        basis = spk.nn.GaussianRBF(config.gaussians, cutoff)
        network = spk.representation.SchNet(n, config.interactions, basis, envelope).double()
        basis.offsets.copy_(torch.linspace(0, cutoff, config.gaussians, dtype=torch.float64))
        basis.widths.fill_(cutoff / (config.gaussians - 1))
    else:
        basis = spk.nn.BesselRBF(config.radial_functions, cutoff)
        epsilon = config.norm_epsilon**2
        network = spk.representation.PaiNN(n, config.layers, basis, envelope, epsilon=epsilon).double()
        basis.freqs.copy_(torch.arange(1, config.radial_functions + 1, dtype=torch.float64) * (pi / cutoff))
    published.cutoff.fill_(cutoff)  # constants were made in float32
    for parameter in network.parameters():
        parameter += 0.05 * torch.randn_like(parameter)
    return network


class Pair:
    """Our potential and schnetpack's, with the same weights."""

    def __init__(self, spk: Any, case: Case) -> None:
        torch.manual_seed(1)
        self.spk = spk
        config = PotentialConfig(architecture=case.architecture, settings=case.settings, preset=case.preset)
        heads, data = [Head(1.0, dict.fromkeys(SYMBOLS, 0.0))], TrainingData(1.0)
        with number_type("float64"):
            self.ours: Potential = build_potential(config, SYMBOLS, heads, data)
        with torch.no_grad():
            network: Any = self.ours.representation
            self.theirs = their_network(spk, case.architecture, network.config)
            activation = ShiftedSoftplus() if case.architecture == "schnet" else nn.functional.silu
            self.readout = spk.nn.build_mlp(network.config.features, 1, activation=activation).double()
            network.embedding.weight.copy_(self.theirs.embedding.weight[NUMBERS])
            COPY[case.architecture](self.theirs, network)
            copy(self.readout[0], self.ours.energy_heads[0].network[0])
            copy(self.readout[1], self.ours.energy_heads[0].network[2])

    def their_features(self, numbers: np.ndarray, i: np.ndarray, j: np.ndarray, vector: Tensor) -> Tensor:
        P = self.spk.properties
        inputs = {P.Z: torch.tensor(numbers), P.idx_i: torch.tensor(i), P.idx_j: torch.tensor(j), P.Rij: vector}
        return self.theirs(inputs)["scalar_representation"]

    def their_energies(self, atoms: ase.Atoms) -> tuple[Tensor, Tensor, Tensor]:
        """Return features, energies of the atoms less those of isolated ones, and forces."""
        i, j, shift = neighbor_list("ijS", atoms, self.ours.cutoff())
        positions = torch.tensor(atoms.positions, requires_grad=True)
        vector = positions[j] - positions[i] + torch.tensor(shift @ atoms.cell.array)
        features = self.their_features(atoms.numbers, i, j, vector)
        nobody = np.zeros(0, dtype=np.int64)
        alone = self.their_features(atoms.numbers, nobody, nobody, torch.zeros(0, 3, dtype=torch.float64))
        energy = (self.readout(features) - self.readout(alone)).squeeze(1)
        (gradient,) = torch.autograd.grad(energy.sum(), positions)
        return features.detach(), energy.detach(), -gradient


def random_structure(seed: int) -> ase.Atoms:
    """Return 1 to 9 atoms, not too close to each other, in a tilted cell about as wide as a cutoff, or narrower."""
    rng = np.random.default_rng(seed)
    n = [1, 2, 5, 9][seed % 4]
    while True:
        cell = (16.0 * n) ** (1 / 3) * (np.eye(3) + rng.uniform(-0.2, 0.2, (3, 3)))
        atoms = ase.Atoms(rng.choice(NUMBERS, n), cell=cell, pbc=True, scaled_positions=rng.uniform(0, 1, (n, 3)))
        if not len(neighbor_list("i", atoms, 1.4)):
            return atoms


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES)
def pair(request: pytest.FixtureRequest, spk: ModuleType) -> Pair:
    return Pair(spk, request.param)


@pytest.mark.parametrize("seed", range(4))
def test_features_energies_and_forces(pair: Pair, seed: int):
    atoms = random_structure(seed)
    features, energy, forces = pair.their_energies(atoms)
    graph = Graph.of(Structure.from_atoms(atoms), Elements(SYMBOLS), pair.ours.cutoff())
    own = pair.ours.represent(System(*graph.arguments[:4], 1, len(atoms), 0)).detach()
    found = predict(pair.ours, graph)
    assert features.abs().max() > 1e-2
    assert energy.abs().max() > 1e-3
    np.testing.assert_allclose(own, features, rtol=0, atol=1e-9 * max(1.0, features.abs().max()))
    np.testing.assert_allclose(found.atomic_energy, energy, rtol=0, atol=1e-9 * max(1.0, energy.abs().max()))
    np.testing.assert_allclose(found.forces, forces, rtol=0, atol=1e-9 * max(1.0, forces.abs().max()))
