"""DimeNet++: messages on directed edges, which change with the messages behind them and the angles in between.

J. Gasteiger, S. Giri, J. T. Margraf, S. Günnemann, arXiv:2011.14115, after DimeNet, arXiv:2003.03123. Written from the
published description; choices of this package are listed in docs/architectures/dimenet++.md.
"""

from typing import ClassVar, NamedTuple

import torch
from pydantic import Field, FiniteFloat
from torch import Tensor, nn

from unnp.models.base import ArchitectureConfig, Representation
from unnp.models.registry import register
from unnp.nn.angles import AngularSums, Neighborhoods
from unnp.nn.cutoff import polynomial_cutoff
from unnp.nn.edges import Edges, directed, within
from unnp.nn.heads import EnergyHead, LinearHead
from unnp.nn.linear import SILU_GAIN, linear
from unnp.nn.norm import norm_of
from unnp.nn.radial import SincBasis
from unnp.nn.spherical_bessel import SphericalBesselBasis
from unnp.nn.system import System


class DimeNetPPConfig(ArchitectureConfig):
    """Settings of DimeNet++."""

    cutoff: FiniteFloat = Field(default=5.0, gt=0)
    """longest edge [A]"""
    channels: int = Field(default=128, ge=2)
    """channels of a message"""
    blocks: int = Field(default=4, ge=1)
    """number of interaction blocks"""
    angular_channels: int = Field(default=64, ge=2)
    """channels of a message where it meets the angles"""
    basis_channels: int = Field(default=8, ge=1)
    """combinations of basis functions"""
    output_channels: int = Field(default=256, ge=2)
    """features of an atom from each of the blocks + 1 outputs"""
    output_layers: int = Field(default=3, ge=1)
    """hidden layers of an output"""
    radial_functions: int = Field(default=6, ge=1)
    """functions of the distance, also beside each Legendre polynomial"""
    angular_functions: int = Field(default=7, ge=1)
    """Legendre polynomials of the angle"""
    layers_before_skip: int = Field(default=1, ge=0)
    """residual layers before the old message is added"""
    layers_after_skip: int = Field(default=2, ge=0)
    """residual layers after it"""
    cutoff_exponent: int = Field(default=6, ge=3)
    """exponent of the polynomial cutoff function"""
    average_neighbors: FiniteFloat | None = Field(default=None, gt=0)
    """neighbours per atom, by whose square root sums are divided; 1: plain sums, as published; null: from the training data"""

    @property
    def receptive_field(self) -> float:
        return (self.blocks + 1) * self.cutoff


class Geometry(NamedTuple):
    """Directed edges, and functions of their lengths that vanish smoothly at the cutoff.

    Attributes:
        receiver, opposite: (n_edges,) int64, see ``Edges``; ghosts receive edges too.
        radial: (n_edges, radial_functions).
        spherical: (n_edges, angular_functions, radial_functions).
        around: the edges of each atom.
    """

    receiver: Tensor
    opposite: Tensor
    radial: Tensor
    spherical: Tensor
    around: Neighborhoods


def activated(n_in: int, n_out: int, bias: bool = True, gain: float = 1.0) -> nn.Sequential:
    """Return a linear map and the activation; maps of messages, which become more in each layer, start with a gain of 1."""
    return nn.Sequential(linear(n_in, n_out, bias, gain, centered=True), nn.SiLU())


class Residual(nn.Module):
    """``x + silu(B silu(A x + a) + b)``."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(activated(n, n), activated(n, n, gain=0.5 * SILU_GAIN))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n_edges, channels), as ``x``."""
        changed: Tensor = x + self.layers(x)
        return changed


class Interaction(nn.Module):
    """New messages from the old ones and those that arrive where they start.

    ``m_ji <- after(silu(S before(h_ji)) + m_ji)`` with ``h_ji = silu(A m_ji) + silu(U sum_k d_kj * filter(r_kj, angle_kji))``
    and ``d_kj = silu(D (silu(B m_kj) * radial(r_kj)))``.
    """

    def __init__(self, config: DimeNetPPConfig) -> None:
        super().__init__()
        n, narrow, width = config.channels, config.angular_channels, config.basis_channels
        self.norm = norm_of(config.average_neighbors)
        self.radial = nn.Sequential(
            linear(config.radial_functions, width, bias=False, gain=config.cutoff), linear(width, n, bias=False)
        )
        self.spherical = linear(config.angular_functions * config.radial_functions, width, bias=False)
        self.angles = AngularSums(config.angular_functions)
        self.filter = linear(width, narrow, bias=False)
        self.old, self.arriving = activated(n, n), activated(n, n)
        self.down, self.up = activated(n, narrow, False, SILU_GAIN), activated(narrow, n, False, SILU_GAIN)
        self.before = nn.Sequential(*[Residual(n) for _ in range(config.layers_before_skip)])
        self.skip = activated(n, n)
        self.after = nn.Sequential(*[Residual(n) for _ in range(config.layers_after_skip)])

    def forward(self, m: Tensor, geometry: Geometry) -> Tensor:
        """Return the new messages, (n_edges, channels)."""
        arriving = self.down(self.arriving(m) * self.radial(geometry.radial))
        h = self.old(m) + self.up(self.norm * self.turned(arriving, geometry))
        return self.after(self.skip(self.before(h)) + m)

    def turned(self, arriving: Tensor, geometry: Geometry) -> Tensor:
        """Return for each edge the sum over the edges that arrive where it starts, (n_edges, angular_channels)."""
        shape = [-1, geometry.spherical.shape[1], geometry.spherical.shape[2]]
        distances = torch.einsum("eln,bln->elb", geometry.spherical, self.spherical.weight.reshape(shape))
        weights = self.filter(distances) * arriving.unsqueeze(1)
        # an edge and its opposite have the same angles to the others of the atom where one starts and the other ends
        return self.angles.mixed(weights, geometry.around).index_select(0, geometry.opposite)


class Output(nn.Module):
    """Features of atoms from the messages that they receive: ``layers(U sum_j m_ji * W radial(r_ji))``."""

    def __init__(self, config: DimeNetPPConfig) -> None:
        super().__init__()
        n, wide = config.channels, config.output_channels
        self.norm = norm_of(config.average_neighbors)
        self.radial = linear(config.radial_functions, n, bias=False, gain=config.cutoff)
        self.up = linear(n, wide, bias=False, gain=SILU_GAIN)
        self.layers = nn.Sequential(*[activated(wide, wide, gain=SILU_GAIN) for _ in range(config.output_layers)])

    def forward(self, m: Tensor, geometry: Geometry) -> Tensor:
        """Return (n_updated, output_channels)."""
        parts = (self.norm * self.radial(geometry.radial)) * m
        n_all, n_updated = geometry.around.directions.shape[0], geometry.around.n_updated
        total = m.new_zeros([n_all, m.shape[1]]).index_add(0, geometry.receiver, parts)[:n_updated]
        features: Tensor = self.layers(self.up(total))
        return features


@register("dimenet++")
class DimeNetPP(Representation):
    """Directional message passing: messages on edges, and angles between them (arXiv:2011.14115).

    The features of an atom are the last hidden layers of all outputs, and its energy is linear in them.
    """

    Config = DimeNetPPConfig
    references: ClassVar[list[str]] = [
        "J. Gasteiger, S. Giri, J. T. Margraf, S. Günnemann, Fast and uncertainty-aware directional message passing for "
        "non-equilibrium molecules, Machine Learning for Molecules Workshop, NeurIPS (2020), arXiv:2011.14115",
        "J. Gasteiger, J. Groß, S. Günnemann, Directional message passing for molecular graphs, ICLR (2020), arXiv:2003.03123",
    ]
    presets: ClassVar[dict[str, dict[str, object]]] = {
        "published": {
            "cutoff": 5.0,
            "channels": 128,
            "blocks": 4,
            "angular_channels": 64,
            "basis_channels": 8,
            "output_channels": 256,
            "output_layers": 3,
            "radial_functions": 6,
            "angular_functions": 7,
            "layers_before_skip": 1,
            "layers_after_skip": 2,
            "cutoff_exponent": 6,
            "average_neighbors": 1.0,
        }
    }
    example_settings: ClassVar[dict[str, object]] = {
        "cutoff": 4.0,
        "channels": 6,
        "blocks": 2,
        "angular_channels": 4,
        "basis_channels": 3,
        "output_channels": 5,
        "output_layers": 2,
        "radial_functions": 3,
        "angular_functions": 4,
        "layers_after_skip": 1,
    }

    def __init__(self, config: DimeNetPPConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.longest, self.exponent = config.cutoff, config.cutoff_exponent
        self.n_features = (config.blocks + 1) * config.output_channels
        n = config.channels
        self.angles = AngularSums(config.angular_functions)
        self.radial = SincBasis(config.radial_functions, config.cutoff)
        self.spherical = SphericalBesselBasis(config.angular_functions, config.radial_functions, config.cutoff)
        self.embedding = nn.Embedding(len(elements), n)
        self.distance = nn.Sequential(linear(config.radial_functions, n, gain=config.cutoff), nn.SiLU())
        self.pair = nn.Sequential(linear(3 * n, n), nn.SiLU())
        self.first = Output(config)
        self.interactions = nn.ModuleList(Interaction(config) for _ in range(config.blocks))
        self.outputs = nn.ModuleList(Output(config) for _ in range(config.blocks))

    def features(self, system: System) -> Tensor:
        bond_index, bond_vector = within(system.bond_index, system.bond_vector, self.longest)
        edges = directed(bond_index, bond_vector, system.species.shape[0])
        geometry = self.geometry(edges, system)
        m = self.messages(edges, geometry, system.species)
        features = [self.first(m, geometry)]
        for interaction, output in zip(self.interactions, self.outputs):  # noqa: B905 - TorchScript has no `strict`
            m = interaction(m, geometry)
            features.append(output(m, geometry))
        return torch.cat(features, dim=1)

    def geometry(self, edges: Edges, system: System) -> Geometry:
        """Return the functions of the edges' lengths and directions."""
        distance = torch.sqrt(edges.vector.square().sum(1))
        envelope = polynomial_cutoff(distance, self.longest, self.exponent).unsqueeze(1)
        inverse = envelope * (self.longest / distance.unsqueeze(1))
        return Geometry(
            edges.receiver,
            edges.opposite,
            self.radial(distance) * envelope,
            self.spherical(distance) * inverse.unsqueeze(2),
            self.angles.neighborhoods(edges.vector / distance.unsqueeze(1), edges.receiver, system),
        )

    def messages(self, edges: Edges, geometry: Geometry, species: Tensor) -> Tensor:
        """Return the first messages, (n_edges, channels): those of two elements at a distance."""
        element = self.embedding.weight.index_select(0, species)
        i, j = element.index_select(0, edges.receiver), element.index_select(0, edges.sender)
        first: Tensor = self.pair(torch.cat([i, j, self.distance(geometry.radial)], dim=1))
        return first

    def energy_head(self) -> EnergyHead:
        return LinearHead(self.n_features, SILU_GAIN)
