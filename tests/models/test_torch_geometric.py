"""DimeNet++ is the published network: equal to torch-geometric 2.8.0 with the same weights, on periodic structures.

Its basis functions and blocks are called with the edges and triplets of a loop over all neighbours: its own forward takes
molecules, and leaves out the images of the atom where a chain began.
"""

from itertools import pairwise, product
from math import pi
from typing import Any

import ase
import numpy as np
import pytest
import torch
from ase.neighborlist import neighbor_list
from scipy.optimize import brentq
from scipy.special import spherical_jn
from torch import Tensor, nn
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import predict
from unnp.models import Head, PotentialConfig, TrainingData, build_potential
from unnp.models.checkpoint import number_type

SYMBOLS, NUMBERS = ["Ni", "Al", "O"], [28, 13, 8]
SMALL = {
    "cutoff": 4.0,
    "channels": 10,
    "blocks": 2,
    "angular_channels": 6,
    "basis_channels": 4,
    "output_channels": 7,
    "output_layers": 2,
    "radial_functions": 4,
    "angular_functions": 5,
    "average_neighbors": 1.0,
}
CASES: dict[str, dict[str, Any]] = {
    "published": {"preset": "published"},
    "small": {"settings": SMALL},
    "sums divided": {"settings": {**SMALL, "average_neighbors": 30.0}},
    "other layers": {"settings": {**SMALL, "layers_before_skip": 2, "layers_after_skip": 0, "cutoff_exponent": 4}},
}


def exact_zeros(n: int, k: int) -> np.ndarray:
    """Return zeros of the spherical Bessel functions in float64; the library's are float32."""
    rows = [np.arange(1, k + n) * pi]
    for degree in range(1, n):
        inside = [brentq(lambda x: spherical_jn(degree, x), *ends) for ends in pairwise(rows[-1])]  # noqa: B023
        rows.append(np.array(inside))
    return np.stack([row[:k] for row in rows])


def copy(theirs: nn.Linear, ours: nn.Linear, scale: float = 1.0) -> None:
    ours.weight.copy_(scale * theirs.weight)
    if theirs.bias is not None:
        ours.bias.copy_(scale * theirs.bias)


def copy_residual(theirs: Any, ours: Any) -> None:
    for a, b in zip(theirs, ours, strict=True):
        copy(a.lin1, b.layers[0][0])
        copy(a.lin2, b.layers[1][0])


def copy_interaction(theirs: Any, ours: Any, radial: float) -> None:
    radial_functions = theirs.lin_rbf1.weight.shape[1]
    copy(theirs.lin_rbf1, ours.radial[0], radial)
    copy(theirs.lin_rbf2, ours.radial[1])
    degrees = theirs.lin_sbf1.weight.shape[1] // radial_functions
    # the library measures the angle by which a chain turns, 180 degrees less ours
    sign = torch.tensor([(-1.0) ** k for k in range(degrees)], dtype=torch.float64).repeat_interleave(radial_functions)
    ours.spherical.weight.copy_(sign * theirs.lin_sbf1.weight)
    copy(theirs.lin_sbf2, ours.filter)
    copy(theirs.lin_ji, ours.old[0])
    copy(theirs.lin_kj, ours.arriving[0])
    copy(theirs.lin_down, ours.down[0])
    copy(theirs.lin_up, ours.up[0], 1 / ours.norm)
    copy_residual(theirs.layers_before_skip, ours.before)
    copy(theirs.lin, ours.skip[0])
    copy_residual(theirs.layers_after_skip, ours.after)


def copy_output(theirs: Any, ours: Any, radial: float) -> None:
    copy(theirs.lin_rbf, ours.radial, radial / ours.norm)
    copy(theirs.lin_up, ours.up)
    for a, b in zip(theirs.lins, ours.layers, strict=True):
        copy(a, b[0])


class Pair:
    """Our potential and the library's network, with the same weights."""

    def __init__(self, dimenet: Any, case: dict[str, Any]) -> None:
        torch.manual_seed(1)
        config = PotentialConfig(architecture="dimenet++", **case)
        heads = [Head(1.0, dict.fromkeys(SYMBOLS, 0.0))]
        with number_type("float64"):
            self.ours = build_potential(config, SYMBOLS, heads, TrainingData(1.0))
            self.theirs = self._network(dimenet, self.ours.representation.config)
        with torch.no_grad():
            for parameter in self.theirs.parameters():
                parameter += 0.05 * torch.randn_like(parameter)
            waves = torch.arange(1, len(self.theirs.rbf.freq) + 1, dtype=torch.float64)
            self.theirs.rbf.freq.copy_(pi * waves)
            self._copy(self.ours.representation)

    @staticmethod
    def _network(dimenet: Any, c: Any) -> Any:
        return dimenet.DimeNetPlusPlus(
            hidden_channels=c.channels,
            out_channels=1,
            num_blocks=c.blocks,
            int_emb_size=c.angular_channels,
            basis_emb_size=c.basis_channels,
            out_emb_channels=c.output_channels,
            num_spherical=c.angular_functions,
            num_radial=c.radial_functions,
            cutoff=c.cutoff,
            envelope_exponent=c.cutoff_exponent - 1,
            num_before_skip=c.layers_before_skip,
            num_after_skip=c.layers_after_skip,
            num_output_layers=c.output_layers,
            output_initializer="glorot_orthogonal",
        )

    def _copy(self, ours: Any) -> None:
        theirs, cutoff = self.theirs, ours.config.cutoff
        radial = cutoff * (cutoff / 2) ** 0.5  # theirs: sin(n pi x) / x
        ours.embedding.weight.copy_(theirs.emb.emb.weight[NUMBERS])
        copy(theirs.emb.lin_rbf, ours.distance[0])
        ours.distance[0].weight.mul_(radial)
        copy(theirs.emb.lin, ours.pair[0])
        for a, b in zip(theirs.interaction_blocks, ours.interactions, strict=True):
            copy_interaction(a, b, radial)
        outputs = [ours.first, *ours.outputs]
        for a, b in zip(theirs.output_blocks, outputs, strict=True):
            copy_output(a, b, radial)
        weight = torch.cat([block.lin.weight for block in theirs.output_blocks], dim=1)
        self.ours.energy_heads[0].network[0].weight.copy_(weight)

    def their_energies(self, numbers: Tensor, i: Tensor, j: Tensor, vector: Tensor, chains: Tensor) -> Tensor:
        """Return energies of atoms that receive edges j -> i with vectors r_j - r_i; chains (2, n) are pairs of edges."""
        distance, (kj, ji) = vector.norm(dim=1), chains
        to_k, to_i = vector[kj], -vector[ji]
        angle = torch.atan2(torch.linalg.cross(to_i, to_k).norm(dim=1), -(to_i * to_k).sum(1))
        theirs = self.theirs
        rbf, sbf = theirs.rbf(distance), theirs.sbf(distance, angle, kj)
        x = theirs.emb(numbers, rbf, i, j)
        energy = theirs.output_blocks[0](x, rbf, i, num_nodes=len(numbers))
        for interaction, output in zip(theirs.interaction_blocks, theirs.output_blocks[1:], strict=True):
            x = interaction(x, rbf, sbf, kj, ji)
            energy = energy + output(x, rbf, i, num_nodes=len(numbers))
        return energy.squeeze(1)

    def expected(self, atoms: ase.Atoms) -> tuple[Tensor, Tensor]:
        """Return energies of atoms, less those of lone ones, and forces."""
        i, j, shift = neighbor_list("ijS", atoms, self.ours.cutoff())
        chains = [
            (f, e)
            for f, e in product(range(len(i)), repeat=2)
            if i[f] == j[e] and not (j[f] == i[e] and (shift[f] == -shift[e]).all())
        ]
        positions = torch.tensor(atoms.positions, requires_grad=True)
        vector = positions[j] - positions[i] + torch.tensor(shift @ atoms.cell.array)
        numbers, none = torch.tensor(atoms.numbers), torch.zeros(0, dtype=torch.int64)
        found = self.their_energies(numbers, torch.tensor(i), torch.tensor(j), vector, torch.tensor(chains).T)
        alone = self.their_energies(numbers, none, none, vector[:0], none.expand(2, 0))
        energy = found - alone
        (gradient,) = torch.autograd.grad(energy.sum(), positions)
        return energy.detach(), -gradient


def random_structure(seed: int) -> ase.Atoms:
    """Return 2 to 4 atoms, not too close to each other, in a tilted cell narrower than the cutoff."""
    rng = np.random.default_rng(seed)
    n = 2 + seed
    while True:
        cell = (14.0 * n) ** (1 / 3) * (np.eye(3) + rng.uniform(-0.2, 0.2, (3, 3)))
        atoms = ase.Atoms(rng.choice(NUMBERS, n), cell=cell, pbc=True, scaled_positions=rng.uniform(0, 1, (n, 3)))
        if not len(neighbor_list("i", atoms, 1.4)):
            return atoms


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES)
def pair(request: pytest.FixtureRequest) -> Pair:
    dimenet = pytest.importorskip(
        "torch_geometric.nn.models.dimenet", reason="needs torch-geometric (make parity)", exc_type=ImportError
    )
    utilities = pytest.importorskip("torch_geometric.nn.models.dimenet_utils")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utilities, "Jn_zeros", exact_zeros)
        return Pair(dimenet, request.param)


@pytest.mark.parametrize("seed", range(3))
def test_energies_and_forces(pair: Pair, seed: int):
    atoms = random_structure(seed)
    energy, forces = pair.expected(atoms)
    found = predict(pair.ours, Graph.of(Structure.from_atoms(atoms), Elements(SYMBOLS), pair.ours.cutoff()))
    assert energy.abs().max() > 1e-3
    assert forces.abs().max() > 1e-3
    np.testing.assert_allclose(found.atomic_energy, energy, rtol=0, atol=1e-9 * max(1.0, energy.abs().max()))
    np.testing.assert_allclose(found.forces, forces, rtol=0, atol=1e-9 * max(1.0, forces.abs().max()))
