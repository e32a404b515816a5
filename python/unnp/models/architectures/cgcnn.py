"""CGCNN: crystal graph convolutions, gated by both atoms and their distance.

T. Xie, J. C. Grossman, Phys. Rev. Lett. 120, 145301 (2018), arXiv:1710.10324. Written from the published description; choices
of this package are listed in docs/architectures/cgcnn.md.
"""

from typing import ClassVar

import torch
from pydantic import Field, FiniteFloat
from torch import Tensor, nn
from torch.nn.functional import softplus

from unnp.models.base import ArchitectureConfig, Representation
from unnp.models.registry import register
from unnp.nn.activations import SOFTPLUS_GAIN, ShiftedSoftplus
from unnp.nn.cutoff import CutoffFunction, CutoffKind
from unnp.nn.edges import within
from unnp.nn.exchange import exchange
from unnp.nn.heads import EnergyHead, MLPHead
from unnp.nn.linear import linear
from unnp.nn.norm import norm_of
from unnp.nn.radial import GaussianBasis
from unnp.nn.system import System


class CGCNNConfig(ArchitectureConfig):
    """Settings of CGCNN."""

    cutoff: FiniteFloat = Field(default=5.0, gt=0)
    """longest bond [A]"""
    features: int = Field(default=64, ge=1)
    """scalar channels of an atom"""
    convolutions: int = Field(default=3, ge=1)
    """number of convolutions"""
    gaussians: int = Field(default=25, ge=2)
    """number of Gaussians of the distance, from 0 to the cutoff"""
    cutoff_function: CutoffKind = "polynomial"
    """`polynomial`, with two continuous derivatives, or `cosine`, whose second derivative jumps at the cutoff"""
    cutoff_exponent: int = Field(default=6, ge=3)
    """exponent of the polynomial cutoff"""
    average_neighbors: FiniteFloat | None = Field(default=None, gt=0)
    """neighbours per atom, by whose square root sums are divided; 1: plain sums, as published; null: from the training data"""

    @property
    def receptive_field(self) -> float:
        return self.convolutions * self.cutoff


class Convolution(nn.Module):
    """``x_i += sum_j f(r_ij) sigmoid(W_f z_ij) * softplus(W_s z_ij)`` with ``z_ij = (x_i, x_j, basis of r_ij)``.

    Each map of z is a sum of three: of the receiver, the sender and the distance. The first two are made once for each atom.
    """

    def __init__(self, config: CGCNNConfig) -> None:
        super().__init__()
        n = config.features
        self.norm = norm_of(config.average_neighbors)
        self.receive = linear(n, 2 * n, gain=0.5)
        self.send = linear(n, 2 * n, bias=False, gain=0.5)
        self.distance = linear(config.gaussians, 2 * n, bias=False)

    def forward(self, x: Tensor, basis: Tensor, envelope: Tensor, bond_index: Tensor, n_updated: int) -> Tensor:
        """Return the new features (n_updated, features).

        Args:
            x: (n_all, features), of updated atoms and ghosts.
            basis: (n_bonds, gaussians).
            envelope: (n_bonds, 1), cutoff function.
            bond_index: (2, n_bonds).
            n_updated: number of updated atoms.
        """
        received, sent, bond = self.receive(x), self.send(x), self.distance(basis)
        weight = self.norm * envelope
        i, j = bond_index[0], bond_index[1]
        to_i = weight * self.gated(received.index_select(0, i) + sent.index_select(0, j) + bond)
        to_j = weight * self.gated(received.index_select(0, j) + sent.index_select(0, i) + bond)
        return (x + x.new_zeros(x.shape).index_add(0, i, to_i).index_add(0, j, to_j))[:n_updated]

    def gated(self, z: Tensor) -> Tensor:
        """Return ``sigmoid(z_f) * softplus(z_s)``."""
        gate, core = z.chunk(2, dim=1)
        return torch.sigmoid(gate) * softplus(core)


@register("cgcnn")
class CGCNN(Representation):
    """Crystal graph convolutional neural network (arXiv:1710.10324).

    Embedding of the elements and Gaussians of the distances; gated convolutions; the energy of an atom is
    ``MLP(x_i) - MLP(x of an atom without bonds)``.
    """

    Config = CGCNNConfig
    references: ClassVar[list[str]] = [
        "T. Xie, J. C. Grossman, Crystal graph convolutional neural networks for an accurate and interpretable prediction of "
        "material properties, Phys. Rev. Lett. 120, 145301 (2018), doi:10.1103/PhysRevLett.120.145301"
    ]
    presets: ClassVar[dict[str, dict[str, object]]] = {
        "published": {"cutoff": 8.0, "features": 64, "convolutions": 3, "gaussians": 41, "average_neighbors": 1.0}
    }
    example_settings: ClassVar[dict[str, object]] = {"cutoff": 4.0, "features": 9, "convolutions": 3, "gaussians": 8}

    def __init__(self, config: CGCNNConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.longest, self.n_features = config.cutoff, config.features
        self.embedding = nn.Embedding(len(elements), config.features)
        self.radial = GaussianBasis(config.gaussians, config.cutoff)
        self.envelope = CutoffFunction(config.cutoff_function, config.cutoff, config.cutoff_exponent)
        self.layers = nn.ModuleList(Convolution(config) for _ in range(config.convolutions))

    def features(self, system: System) -> Tensor:
        bond_index, bond_vector = within(system.bond_index, system.bond_vector, self.longest)
        distance = torch.sqrt(bond_vector.square().sum(1))
        basis, envelope = self.radial(distance), self.envelope(distance).unsqueeze(1)
        n_all = system.species.shape[0]
        x = self.embedding.weight.index_select(0, system.species)  # the elements of ghosts are known
        for k, layer in enumerate(self.layers):
            if k > 0:
                x = exchange(x, n_all, system.halo)
            x = layer(x, basis, envelope, bond_index, system.n_updated)
        return x

    def energy_head(self) -> EnergyHead:
        return MLPHead(self.n_features, 2 * self.n_features, ShiftedSoftplus(), SOFTPLUS_GAIN)
