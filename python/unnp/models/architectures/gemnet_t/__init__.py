"""GemNet-T: messages on directed edges that change with all angles at both of their ends, and with the atoms.

J. Gasteiger, F. Becker, S. Günnemann, NeurIPS 2021, arXiv:2106.08903, the variant without quadruplets, with forces from the
energy. Written from the published description; choices of this package are listed in docs/architectures/gemnet-t.md.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from unnp.models.architectures.gemnet_t.config import GemNetTConfig
from unnp.models.architectures.gemnet_t.layers import AtomUpdate, Embedding, Geometry, Interaction
from unnp.models.base import Representation, TrainingData
from unnp.models.registry import register
from unnp.nn.angles import AngularSums
from unnp.nn.cutoff import polynomial_cutoff
from unnp.nn.edges import Edges, directed, within
from unnp.nn.heads import EnergyHead, LinearHead
from unnp.nn.linear import linear
from unnp.nn.radial import SincBasis
from unnp.nn.scaling import fit_scalings
from unnp.nn.spherical_bessel import SphericalBesselBasis
from unnp.nn.system import System


@register("gemnet-t")
class GemNetT(Representation):
    """Geometric message passing with triplets: messages on edges, atoms, and angles (arXiv:2106.08903).

    The features of an atom are the last hidden layers of all outputs, and its energy is linear in them.
    """

    Config = GemNetTConfig
    references: ClassVar[list[str]] = [
        "J. Gasteiger, F. Becker, S. Günnemann, GemNet: Universal directional graph neural networks for molecules, Advances in "
        "Neural Information Processing Systems 34 (2021), arXiv:2106.08903"
    ]
    presets: ClassVar[dict[str, dict[str, object]]] = {
        "published": {
            "cutoff": 5.0,
            "atom_channels": 128,
            "edge_channels": 128,
            "blocks": 4,
            "angular_channels": 64,
            "bilinear_channels": 64,
            "radial_channels": 16,
            "circular_channels": 16,
            "radial_functions": 6,
            "angular_functions": 7,
            "layers_before_skip": 1,
            "layers_after_skip": 1,
            "layers_after_atoms": 1,
            "atom_layers": 2,
            "cutoff_exponent": 5,
        }
    }
    example_settings: ClassVar[dict[str, object]] = {
        "cutoff": 4.0,
        "atom_channels": 8,
        "edge_channels": 8,
        "blocks": 2,
        "angular_channels": 4,
        "bilinear_channels": 3,
        "radial_channels": 3,
        "circular_channels": 2,
        "radial_functions": 3,
        "angular_functions": 4,
        "atom_layers": 1,
    }

    def __init__(self, config: GemNetTConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.longest, self.exponent = config.cutoff, config.cutoff_exponent
        self.n_features = (config.blocks + 1) * config.atom_channels
        n, r = config.angular_functions, config.radial_functions
        self.radial, self.spherical = SincBasis(r, config.cutoff), SphericalBesselBasis(n, r, config.cutoff)
        self.angles = AngularSums(n)
        self.combine = nn.ModuleList(linear(r, config.radial_channels, bias=False) for _ in range(3))
        self.circular = linear(r, n * config.circular_channels, bias=False)
        self.embedding = nn.Embedding(len(elements), config.atom_channels)
        self.pair = Embedding(config, r)
        self.first = AtomUpdate(config)
        self.interactions = nn.ModuleList(Interaction(config) for _ in range(config.blocks))
        self.outputs = nn.ModuleList(AtomUpdate(config) for _ in range(config.blocks))

    def adapt(self, data: TrainingData) -> None:
        system = data.sample(self.embedding.weight.dtype)
        fit_scalings(self, data.average_neighbors, None if system is None else lambda: self.features(system))

    def features(self, system: System) -> Tensor:
        bond_index, bond_vector = within(system.bond_index, system.bond_vector, self.longest)
        edges = directed(bond_index, bond_vector, system.species.shape[0])
        distance = torch.sqrt(edges.vector.square().sum(1))
        envelope = polynomial_cutoff(distance, self.longest, self.exponent).unsqueeze(1)
        radial = self.radial(distance) * (self.longest * envelope)
        geometry = self.geometry(edges, distance, envelope, radial, system)
        h = self.embedding.weight.index_select(0, system.species)
        m = self.pair(h, radial, geometry)
        features = [self.first(m, geometry.to_outputs, geometry)]
        for interaction, output in zip(self.interactions, self.outputs):  # noqa: B905 - TorchScript has no `strict`
            h, m = interaction(h, m, geometry)
            features.append(output(m, geometry.to_outputs, geometry))
        return torch.cat(features, dim=1)

    def geometry(self, edges: Edges, distance: Tensor, envelope: Tensor, radial: Tensor, system: System) -> Geometry:
        """Return combinations of basis functions, which all blocks share; distance (n_edges,), envelope (n_edges, 1)."""
        combined = [layer(radial) for layer in self.combine]
        spherical = self.spherical(distance) * envelope.unsqueeze(2)
        n_degrees = spherical.shape[1]
        weights = self.circular.weight.reshape(n_degrees, -1, spherical.shape[2])
        return Geometry(
            edges.receiver,
            edges.sender,
            edges.opposite,
            combined[0],
            combined[1],
            combined[2],
            torch.einsum("eln,lbn->ebl", spherical, weights),
            self.angles.neighborhoods(edges.vector / distance.unsqueeze(1), edges.receiver, system),
        )

    def energy_head(self) -> EnergyHead:
        return LinearHead(self.n_features, 1.0)
