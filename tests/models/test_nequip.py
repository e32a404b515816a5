"""NequIP is the published network: equal to nequip 0.19 (on e3nn) with the same weights, on random periodic structures."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import ase
import numpy as np
import pytest
import torch
from ase.neighborlist import neighbor_list
from torch import Tensor
from torch.nn.functional import silu
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import predict
from unnp.models import Head, Potential, PotentialConfig, TrainingData, build_potential
from unnp.models.checkpoint import number_type
from unnp.nn.coupling import clebsch_gordan
from unnp.nn.spherical import SphericalHarmonics
from unnp.nn.system import System

SYMBOLS = ["Ni", "Al", "O"]
NUMBERS = [28, 13, 8]
SMALL = {"cutoff": 4.5, "features": 6, "layers": 3, "radial_layers": 1, "radial_features": 8}
FRAME = [1, 2, 0]
"""e3nn has its poles on the y axis: its harmonics of (y, z, x) are ours of (x, y, z)"""


@dataclass(frozen=True)
class Case:
    """Settings, or a preset."""

    settings: dict[str, Any] = field(default_factory=dict)
    preset: str | None = None


CASES = {
    "l0": Case({**SMALL, "l_max": 0}),
    "l1": Case({**SMALL, "l_max": 1}),
    "l2": Case({**SMALL, "l_max": 2}),
    "l3": Case({**SMALL, "l_max": 3}),
    "l0 parity": Case({**SMALL, "l_max": 0, "parity": True}),
    "l1 parity": Case({**SMALL, "l_max": 1, "parity": True}),
    "l2 parity": Case({**SMALL, "l_max": 2, "parity": True, "layers": 4, "radial_layers": 2}),
    "one layer": Case({**SMALL, "l_max": 2, "layers": 1}),
    "published": Case({"features": 4}, "published"),
}


@pytest.fixture(scope="module")
def library() -> ModuleType:
    """Return the module of nequip that builds its networks."""
    pytest.importorskip("e3nn", reason="needs e3nn (make parity)", exc_type=ImportError)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(
            "nequip.model.nequip_models", reason="needs nequip (make parity)", exc_type=ImportError
        )


def their_network(library: Any, config: Any) -> Any:
    """Return nequip's network of our settings, in float64, with random weights."""
    from e3nn.o3 import Irreps

    kinds = [
        (degree, p) for degree in range(config.l_max + 1) for p in ([1, -1] if config.parity else [(-1) ** degree])
    ]
    hidden = str(Irreps([(config.features, kind) for kind in kinds]))
    with number_type("float64"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = library.FullNequIPGNNModel.__wrapped__(
            r_max=config.cutoff,
            type_names=SYMBOLS,
            radial_mlp_depth=[config.radial_layers] * config.layers,
            radial_mlp_width=[config.radial_features] * config.layers,
            feature_irreps_hidden=[hidden] * (config.layers - 1) + [f"{config.features}x0e"],
            irreps_edge_sh=str(Irreps.spherical_harmonics(config.l_max)),
            type_embed_num_features=config.features,
            num_bessels=config.radial_functions,
            polynomial_cutoff_p=config.cutoff_exponent,
            avg_num_neighbors=config.average_neighbors,
            per_type_energy_scales=1.0,
            per_type_energy_shifts=0.0,
            learnable_shift=True,  # a self-connection in the first layer too, as published
            do_derivatives=False,
        )
    with torch.no_grad():
        for name, weight in network.func.named_parameters():
            if name.endswith("edge_mlp.mlp.0.weight"):
                weight.mul_(0.3 * config.cutoff**2)  # or messages are too weak to be seen
    return network.func.double()


def activation_scale(f: Any) -> float:
    """Return what e3nn multiplies an activation by."""
    from e3nn.math import normalize2mom

    return normalize2mom(f).cst


def scale_of(irrep: tuple[int, int], first: bool) -> float:
    """Return their features over ours, for an irrep that leaves a gate."""
    return 1.0 if first else activation_scale(torch.tanh if irrep == (0, -1) else silu)


def sign_of(l1: int, l2: int, l3: int) -> float:
    """Return the sign of our coefficients with respect to e3nn's, which differ in nothing else."""
    from e3nn.o3 import wigner_3j

    theirs = wigner_3j(l1, l2, l3, dtype=torch.float64).numpy() * np.sqrt(2 * l3 + 1)
    ours = clebsch_gordan(l1, l2, l3)
    sign = np.sign((theirs * ours).sum())
    np.testing.assert_allclose(ours, sign * theirs, rtol=0, atol=1e-12)
    return float(sign)


def kind(irreps: Any, k: int) -> tuple[int, int]:
    """Return degree and parity of a part of e3nn's irreps."""
    return irreps[k].ir.l, irreps[k].ir.p


class LayerCopy:
    """Their weights of a layer, in our order; without those of tensors that no later layer makes scalars of."""

    def __init__(self, theirs: Any, ours: Any, n: int) -> None:
        self.theirs, self.ours, self.n = theirs.conv, ours, n
        tp = self.theirs.tp_scatter.tp
        self.tp = tp
        self.inputs = [(irrep.degree, irrep.parity) for irrep in ours.inputs]
        self.outputs = [(irrep.degree, irrep.parity) for irrep in ours.outputs]
        self.scales = [scale_of(irrep, ours.first) for irrep in self.inputs]
        gated = [
            kind(theirs.equivariant_nonlin.irreps_gated, k) for k in range(len(theirs.equivariant_nonlin.irreps_gated))
        ]
        own = [irrep for irrep in self.outputs if irrep[0] > 0]
        blocks = [0, *(1 + gated.index(irrep) for irrep in own)]
        self.scalars = [n * block + c for block in blocks for c in range(n)]
        """their channels of even scalars, then of gates in the order of our tensors"""

    def paths(self) -> list[tuple[tuple[int, int], int, tuple[int, int]]]:
        """Return input irrep, degree of the harmonics and output irrep of their products, in their order."""
        tp = self.tp
        return [
            (kind(tp.irreps_in1, i.i_in1), tp.irreps_in2[i.i_in2].ir.l, kind(tp.irreps_out, i.i_out))
            for i in tp.instructions
        ]

    def copy(self, embedding: Tensor, cutoff: float) -> None:
        self.copy_send()
        self.copy_radial(cutoff)
        self.copy_receive()
        self.copy_stay(embedding)

    def copy_send(self) -> None:
        linear = self.theirs.linear_1
        for _, i, weight in linear.weight_views(yield_instruction=True):
            irrep = kind(linear.irreps_in, i.i_in)
            if irrep in self.inputs:
                k = self.inputs.index(irrep)
                self.ours.send.weight[k] = self.scales[k] * i.path_weight * weight

    def copy_radial(self, cutoff: float) -> None:
        ours = [m for m in self.ours.messages.radial if hasattr(m, "weight")]
        theirs = [m for m in self.theirs.edge_mlp.mlp if hasattr(m, "weight")]
        for k, (own, layer) in enumerate(zip(ours, theirs, strict=True)):
            weight = layer.alpha * layer.weight.T * (1.0 if k else 2 / cutoff**2)
            if k == len(ours) - 1:
                weight = torch.cat([self.radial_rows(weight, *path) for path in self.our_paths()])
            own.weight.copy_(weight)

    def our_paths(self) -> list[tuple[tuple[int, int], int, tuple[int, int]]]:
        """Return the same as ``paths`` in our order: by output, then by input."""
        kept = [path for path in self.paths() if path[0] in self.inputs and path[2] in self.outputs]
        places = {path: (self.outputs.index(path[2]), self.inputs.index(path[0]), path[1]) for path in kept}
        return sorted(places, key=lambda path: places[path])

    def radial_rows(self, weight: Tensor, of: tuple[int, int], degree: int, to: tuple[int, int]) -> Tensor:
        k = self.paths().index((of, degree, to))
        factor = self.tp.instructions[k].path_weight / np.sqrt(2 * to[0] + 1) * sign_of(of[0], degree, to[0])
        return factor * weight[self.n * k : self.n * (k + 1)]

    def copy_receive(self) -> None:
        linear = self.theirs.linear_2
        for _, i, weight in linear.weight_views(yield_instruction=True):
            irrep = kind(linear.irreps_in, i.i_in)
            if irrep not in self.outputs:
                continue
            at = {path: instruction.i_out for path, instruction in zip(self.paths(), self.tp.instructions, strict=True)}
            theirs = sorted((path for path in at if path[2] == irrep), key=lambda path: at[path])
            ours = [path for path in self.our_paths() if path[2] == irrep]
            rows = [self.n * theirs.index(path) + c for path in ours for c in range(self.n)]
            weight = i.path_weight * weight[rows]
            columns = self.scalars if irrep == (0, 1) else slice(None)
            self.ours.receive[self.outputs.index(irrep)].weight.copy_(weight[:, columns].T)

    def copy_stay(self, embedding: Tensor) -> None:
        product, stay = self.theirs.sc, self.ours.stay
        made = [(irrep.degree, irrep.parity) for irrep in self.ours.gate.inputs]
        made = [irrep for irrep in made if irrep in self.inputs]
        for _, i, weight in product.weight_views(yield_instruction=True):
            irrep = kind(product.irreps_in1, i.i_in1)
            if irrep not in made:
                continue
            factor = i.path_weight / np.sqrt(2 * irrep[0] + 1) * self.scales[self.inputs.index(irrep)]
            maps = factor * torch.einsum("cvd,ev->ecd", weight, embedding)
            columns = self.scalars if irrep == (0, 1) else list(range(self.n))
            places = [k for k, own in enumerate(made) if own == irrep]
            stay.weight[:, places] = maps[:, :, columns].unflatten(2, (-1, self.n)).transpose(1, 2)


class Pair:
    """Our potential and nequip's network, with the same weights."""

    def __init__(self, library: Any, case: Case) -> None:
        torch.manual_seed(1)
        config = PotentialConfig(architecture="nequip", settings=case.settings, preset=case.preset)
        heads, data = [Head(1.0, dict.fromkeys(SYMBOLS, 0.0))], TrainingData(20.0)
        with number_type("float64"):
            self.ours: Potential = build_potential(config, SYMBOLS, heads, data)
        network: Any = self.ours.representation
        self.config = network.config
        self.theirs = their_network(library, self.config)
        with torch.no_grad():
            embedding = dict(self.theirs.named_parameters())["type_embed.embed_module.weight"]
            network.embedding.weight.copy_(embedding)
            for k, layer in enumerate(network.layers):
                theirs = self.theirs.get_submodule(f"layer{k}_convnet")
                LayerCopy(theirs, layer, self.config.features).copy(embedding, self.config.cutoff)
            (readout,) = self.theirs.per_atom_energy_readout.mlp_module.mlp
            first, last = self.ours.energy_heads[0].network[0], self.ours.energy_heads[0].network[2]
            first.weight.zero_()
            first.weight[0] = readout.alpha * readout.weight[:, 0] * activation_scale(silu)
            last.weight.fill_(1.0)

    def evaluate(self, species: np.ndarray, i: np.ndarray, j: np.ndarray, vector: Tensor) -> tuple[Tensor, Tensor]:
        """Return their features and energies of atoms."""
        inputs = {
            "pos": vector.new_zeros(len(species), 3),
            "edge_index": torch.tensor(np.stack([i, j])),
            "edge_vectors": vector[:, FRAME],
            "atom_types": torch.tensor(species),
        }
        out = self.theirs(inputs)
        return out["node_features"] / activation_scale(silu), out["atomic_energy"].squeeze(1)

    def their_energies(self, atoms: ase.Atoms) -> tuple[Tensor, Tensor, Tensor]:
        """Return features, energies of the atoms less those of isolated ones, and forces."""
        i, j, shift = neighbor_list("ijS", atoms, self.ours.cutoff())
        positions = torch.tensor(atoms.positions, requires_grad=True)
        vector = positions[j] - positions[i] + torch.tensor(shift @ atoms.cell.array)
        species = np.array([NUMBERS.index(number) for number in atoms.numbers])
        features, energy = self.evaluate(species, i, j, vector)
        nobody = np.zeros(0, dtype=np.int64)
        energy = energy - self.evaluate(species, nobody, nobody, vector[:0].detach())[1]
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
def pair(request: pytest.FixtureRequest, library: ModuleType) -> Pair:
    return Pair(library, request.param)


def test_harmonics(library: ModuleType):
    from e3nn.o3 import spherical_harmonics

    vector = torch.randn(20, 3, dtype=torch.float64)
    unit = vector / vector.norm(dim=1, keepdim=True)
    theirs = spherical_harmonics([0, 1, 2, 3], unit[:, FRAME], False, "component")
    np.testing.assert_allclose(SphericalHarmonics(3, "component")(unit), theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_features_energies_and_forces(pair: Pair, seed: int):
    atoms = random_structure(seed)
    features, energy, forces = pair.their_energies(atoms)
    graph = Graph.of(Structure.from_atoms(atoms), Elements(SYMBOLS), pair.ours.cutoff())
    own = pair.ours.represent(System(*graph.arguments[:4], 1, len(atoms), 0)).detach()
    found = predict(pair.ours, graph)
    assert features.abs().max() > 1e-2
    for ours, theirs in [(own, features), (found.atomic_energy, energy), (found.forces, forces)]:
        assert ours is not None
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9 * max(1.0, float(theirs.abs().max())))
