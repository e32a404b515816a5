"""CGCNN is the published network: equal to torch-geometric's CGConv with the same weights, on random periodic structures."""

import numpy as np
import pytest
import torch
from ase.neighborlist import neighbor_list
from torch import Tensor
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.models import Head, PotentialConfig, TrainingData, build_potential
from unnp.models.architectures.cgcnn import CGCNN, Convolution
from unnp.models.checkpoint import number_type

CUTOFF, SYMBOLS = 4.5, ["Ni", "Al", "O"]
SETTINGS = {"cutoff": CUTOFF, "features": 10, "convolutions": 3, "gaussians": 7}


def random_structure(seed: int) -> Structure:
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(3.5, 6.5, 3)) + rng.uniform(-0.8, 0.8, (3, 3))
    return Structure(rng.choice([28, 13, 8], 7), rng.uniform(0, 1, (7, 3)) @ cell, cell, np.ones(3, dtype=bool))


def reference(layer: Convolution, n: int, n_gaussians: int) -> torch.nn.Module:
    """Return torch-geometric's convolution with the weights of ours, its messages times the cutoff function."""
    geometric = pytest.importorskip(
        "torch_geometric.nn", reason="needs torch-geometric (make parity)", exc_type=ImportError
    )

    class Smooth(geometric.CGConv):  # type: ignore[misc, name-defined]
        def message(self, x_i: Tensor, x_j: Tensor, edge_attr: Tensor) -> Tensor:
            weighted: Tensor = edge_attr[:, :1] * super().message(x_i, x_j, edge_attr[:, 1:])
            return weighted

    conv = Smooth(n, n_gaussians, aggr="add", batch_norm=False)
    with torch.no_grad():
        for k, lin in enumerate((conv.lin_f, conv.lin_s)):
            rows = slice(k * n, (k + 1) * n)
            maps = (layer.receive, layer.send, layer.distance)
            lin.weight.copy_(torch.cat([part.weight[rows] for part in maps], dim=1))
            lin.bias.copy_(layer.receive.bias[rows])
    return conv


@pytest.mark.parametrize("average_neighbors", [1.0, 20.0])
@pytest.mark.parametrize("seed", range(4))
def test_features(seed: int, average_neighbors: float) -> None:
    torch.manual_seed(seed)
    structure = random_structure(seed)
    with number_type("float64"):
        config = PotentialConfig(architecture="cgcnn", settings={**SETTINGS, "average_neighbors": average_neighbors})
        potential = build_potential(config, SYMBOLS, [Head(1.0, dict.fromkeys(SYMBOLS, 0.0))], TrainingData(30.0))
        network = potential.representation
        assert isinstance(network, CGCNN)
        for layer in network.layers:
            torch.nn.init.normal_(layer.receive.bias)  # type: ignore[union-attr, arg-type]
        convolutions = [reference(layer, 10, 7) for layer in network.layers]  # type: ignore[arg-type]
    graph = Graph.of(structure, Elements(SYMBOLS), CUTOFF)
    i, j, distance = (torch.from_numpy(a) for a in neighbor_list("ijd", structure.to_atoms(), CUTOFF))
    scale = average_neighbors**-0.5
    attributes = torch.cat([scale * network.envelope(distance).unsqueeze(1), network.radial(distance)], dim=1)
    x = network.embedding.weight[graph.species]
    for convolution in convolutions:
        x = convolution(x, torch.stack([j, i]), attributes)  # torch-geometric's edges go from sender to receiver
    found = potential.features(*graph.arguments)
    assert found.std() > 0.1
    torch.testing.assert_close(found, x, rtol=0, atol=1e-9)
