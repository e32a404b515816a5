"""SchNet: atoms that carry scalars, and convolutions with filters that depend on the distance.

K. T. Schütt et al., J. Chem. Phys. 148, 241722 (2018), arXiv:1712.06113. Written from the published description; choices of
this package are listed in docs/architectures/schnet.md.
"""

from typing import ClassVar, Final

import torch
from pydantic import Field, FiniteFloat
from torch import Tensor, nn

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


class SchNetConfig(ArchitectureConfig):
    """Settings of SchNet."""

    cutoff: FiniteFloat = Field(default=5.0, gt=0)
    """longest bond [A]"""
    features: int = Field(default=128, ge=1)
    """scalar channels of an atom, and filters of a bond"""
    interactions: int = Field(default=4, ge=1)
    """number of interaction blocks"""
    gaussians: int = Field(default=25, ge=2)
    """number of Gaussians of the distance, from 0 to the cutoff"""
    cutoff_function: CutoffKind = "polynomial"
    """`polynomial`, with two continuous derivatives, or `cosine`, as published, whose second derivative jumps at the cutoff"""
    cutoff_exponent: int = Field(default=6, ge=3)
    """exponent of the polynomial cutoff"""
    average_neighbors: FiniteFloat | None = Field(default=None, gt=0)
    """neighbours per atom, by whose square root sums are divided; 1: plain sums, as published; null: from the training data"""

    @property
    def receptive_field(self) -> float:
        return self.interactions * self.cutoff


class Interaction(nn.Module):
    """``x_i += W2 ssp(W1 sum_j (W0 x_j) * filter(r_ij))``, with as many filters as features."""

    first: Final[bool]

    def __init__(self, config: SchNetConfig, first: bool) -> None:
        super().__init__()
        n = config.features
        self.first = first
        self.norm = norm_of(config.average_neighbors)
        self.send = linear(n, n, bias=False)
        self.filter = nn.Sequential(linear(config.gaussians, n), ShiftedSoftplus(), linear(n, n, gain=SOFTPLUS_GAIN))
        self.update = nn.Sequential(linear(n, n), ShiftedSoftplus(), linear(n, n, gain=SOFTPLUS_GAIN))

    def forward(
        self,
        x: Tensor,
        element: Tensor,
        species: Tensor,
        basis: Tensor,
        envelope: Tensor,
        bond_index: Tensor,
        halo: int,
    ) -> Tensor:
        """Return the new features of the updated atoms.

        Args:
            x: (n_updated, features).
            element: (n_elements, features), features before the first block.
            species: (n_all,).
            basis: (n_bonds, gaussians).
            envelope: (n_bonds, 1), cutoff function.
            bond_index: (2, n_bonds).
            halo: handle of the exchange, 0 for none.
        """
        sent = self.sent(x, element, species, halo)
        weights = self.filter(basis) * (self.norm * envelope)
        i, j = bond_index[0], bond_index[1]
        total = sent.new_zeros(sent.shape)
        total = total.index_add(0, i, weights * sent.index_select(0, j))
        total = total.index_add(0, j, weights * sent.index_select(0, i))
        return x + self.update(total[: x.shape[0]])

    def sent(self, x: Tensor, element: Tensor, species: Tensor, halo: int) -> Tensor:
        """Return what updated atoms and ghosts send, (n_all, features)."""
        if self.first:  # the elements of ghosts are known
            return self.send(element).index_select(0, species)
        return exchange(self.send(x), species.shape[0], halo)


@register("schnet")
class SchNet(Representation):
    """SchNet, a network of continuous-filter convolutions (arXiv:1712.06113).

    Embedding of the elements and Gaussians of the distances; interaction blocks, whose filters are the same in both directions
    of a bond; the energy of an atom is ``MLP(x_i) - MLP(x of an atom without bonds)``.
    """

    Config = SchNetConfig
    references: ClassVar[list[str]] = [
        "K. T. Schütt, H. E. Sauceda, P.-J. Kindermans, A. Tkatchenko, K.-R. Müller, SchNet - a deep learning architecture "
        "for molecules and materials, J. Chem. Phys. 148, 241722 (2018), doi:10.1063/1.5019779"
    ]
    presets: ClassVar[dict[str, dict[str, object]]] = {
        "published": {
            "cutoff": 10.0,
            "features": 128,
            "interactions": 6,
            "gaussians": 50,
            "cutoff_function": "cosine",
            "average_neighbors": 1.0,
        }
    }
    example_settings: ClassVar[dict[str, object]] = {
        "cutoff": 4.0,
        "features": 9,
        "interactions": 3,
        "gaussians": 8,
    }

    def __init__(self, config: SchNetConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.longest, self.n_features = config.cutoff, config.features
        self.embedding = nn.Embedding(len(elements), config.features)
        self.radial = GaussianBasis(config.gaussians, config.cutoff)
        self.envelope = CutoffFunction(config.cutoff_function, config.cutoff, config.cutoff_exponent)
        self.layers = nn.ModuleList(Interaction(config, k == 0) for k in range(config.interactions))

    def features(self, system: System) -> Tensor:
        bond_index, bond_vector = within(system.bond_index, system.bond_vector, self.longest)
        distance = torch.sqrt(bond_vector.square().sum(1))
        basis, envelope = self.radial(distance), self.envelope(distance).unsqueeze(1)
        element = self.embedding.weight
        x = element.index_select(0, system.species[: system.n_updated])
        for layer in self.layers:
            x = layer(x, element, system.species, basis, envelope, bond_index, system.halo)
        return x

    def energy_head(self) -> EnergyHead:
        return MLPHead(self.n_features, max(1, self.n_features // 2), ShiftedSoftplus(), SOFTPLUS_GAIN)
