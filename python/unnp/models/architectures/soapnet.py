"""SOAPNet: a network of the power spectrum of the density around an atom.

Z. Shui, D. S. Karls, M. Wen, I. A. Nikiforov, E. B. Tadmor, G. Karypis, NeurIPS 2022, arXiv:2210.08047. Written from the
published description; choices of this package are listed in docs/architectures/soapnet.md.
"""

import math
from typing import ClassVar, Self

import torch
from pydantic import Field, FiniteFloat, model_validator
from torch import Tensor, nn

from unnp.models.base import ArchitectureConfig, Representation, TrainingData
from unnp.models.registry import register
from unnp.nn.activations import SOFTPLUS_GAIN, ShiftedSoftplus
from unnp.nn.blocks import BLOCK, neighbor_blocks
from unnp.nn.cutoff import CutoffFunction, CutoffKind
from unnp.nn.edges import directed, within
from unnp.nn.heads import EnergyHead, LinearHead
from unnp.nn.linear import linear
from unnp.nn.orbitals import GaussianOrbitals, digits_left
from unnp.nn.spherical import SphericalHarmonics
from unnp.nn.system import System

SEPARATE = 1e-13
"""smallest eigenvalue over the largest, from which on the overlaps of the radial functions can be inverted in float64"""

SMALLEST = 1e-3
"""numbers that vary less than this, in units of the one that varies most, are not magnified further"""


class SOAPNetConfig(ArchitectureConfig):
    """Settings of SOAPNet."""

    cutoff: FiniteFloat = Field(default=5.0, ge=2)
    """longest bond [A]"""
    n_max: int = Field(default=8, ge=1, le=10)
    """radial functions of each degree"""
    l_max: int = Field(default=6, ge=0, le=10)
    """highest degree of the spherical harmonics"""
    sigma: FiniteFloat = Field(default=0.5, ge=0.1)
    """width of an atom in the density [A]"""
    channels: int | None = Field(default=4, ge=1)
    """densities that the elements are mixed into, with trained weights; null: one density for each element, as published, which
    it also is where there are no more elements than channels"""
    features: int = Field(default=128, ge=1)
    """width of the layers"""
    layers: int = Field(default=5, ge=1)
    """number of hidden layers"""
    cutoff_function: CutoffKind = "polynomial"
    """`polynomial`, with two continuous derivatives, or `cosine`, whose second derivative jumps at the cutoff"""
    cutoff_exponent: int = Field(default=6, ge=3)
    """exponent of the polynomial cutoff"""
    standardize: bool = True
    """subtract the mean of each number of the spectrum in the training data, and divide by its standard deviation"""

    @model_validator(mode="after")
    def _orbitals_differ(self) -> Self:
        if min(digits_left(degree, self.n_max, self.cutoff) for degree in range(self.l_max + 1)) < SEPARATE:
            raise ValueError(
                f"n_max {self.n_max}, l_max {self.l_max} and cutoff {self.cutoff:g} A give radial functions that cannot be "
                "told apart in float64; take a smaller n_max for a short cutoff, a smaller l_max for a long one"
            )
        return self


class Density(nn.Module):
    """``c_qnlm = w_q(Z_i) R_nl(0) Y_00 + sum_j w_q(Z_j) f(r_ij) R_nl(r_ij) Y_lm(r_ij)``, the first term for l = 0 only."""

    central: Tensor

    def __init__(self, config: SOAPNetConfig) -> None:
        super().__init__()
        self.cutoff, self.n_max, self.l_max, self.block = config.cutoff, config.n_max, config.l_max, BLOCK
        self.radial = GaussianOrbitals(config.n_max, config.l_max, config.cutoff, config.sigma)
        self.harmonics = SphericalHarmonics(config.l_max)
        self.envelope = CutoffFunction(config.cutoff_function, config.cutoff, config.cutoff_exponent)
        # an atom at the centre has no direction: only Y_00 is not zero on the average
        central = self.radial(torch.zeros(1))[0, 0] / math.sqrt(4.0 * math.pi)
        self.register_buffer("central", central, persistent=False)

    def forward(self, system: System, weights: Tensor) -> list[Tensor]:
        """Return (n_updated, channels * n_max, 2 l + 1) for each degree l, from weights (n_elements, channels)."""
        bond_index, bond_vector = within(system.bond_index, system.bond_vector, self.cutoff)
        distance = torch.sqrt(bond_vector.square().sum(1))
        unit = bond_vector / distance.unsqueeze(1)
        edges = directed(bond_index, unit, system.n_updated)
        blocks = neighbor_blocks(edges.receiver, system.n_updated, self.block)
        bond = edges.bond.index_select(0, blocks.edge)
        radial = self.radial(distance) * self.envelope(distance).unsqueeze(1).unsqueeze(2)
        sender = system.species.index_select(0, edges.sender.index_select(0, blocks.edge))
        weight = weights.index_select(0, sender) * blocks.taken.to(unit.dtype).unsqueeze(1)
        # the other direction of a bond: harmonics of odd degree change their sign
        sign = 1.0 - 2.0 * (blocks.edge >= bond_index.shape[1]).to(unit.dtype)
        harmonics = self.harmonics(unit).index_select(0, bond)
        parts = self.products(weight, radial.index_select(0, bond), harmonics, sign.unsqueeze(1))
        total = torch.zeros([system.n_updated, parts.shape[1]], dtype=parts.dtype, device=parts.device)
        return self.by_degree(
            total.index_add(0, blocks.atom, parts), weights.index_select(0, system.species[: system.n_updated])
        )

    def by_degree(self, total: Tensor, own: Tensor) -> list[Tensor]:
        """Return the coefficients of each degree, the atom itself included.

        Args:
            total: (n_updated, channels * n_max * (l_max + 1)^2), sums over neighbours.
            own: (n_updated, channels), weights of the atom's element.
        """
        n_atoms, width = own.shape[0], own.shape[1] * self.n_max
        densities: list[Tensor] = []
        for degree in range(self.l_max + 1):
            rows = total[:, width * degree * degree : width * (degree + 1) * (degree + 1)]
            densities.append(rows.reshape(n_atoms, width, 2 * degree + 1))
        central = (own.unsqueeze(2) * self.central).reshape(n_atoms, width, 1)
        densities[0] = densities[0] + central
        return densities

    def products(self, weight: Tensor, radial: Tensor, harmonics: Tensor, sign: Tensor) -> Tensor:
        """Return the sums over the neighbours of each block, (n_blocks, channels * n_max * (l_max + 1)^2), ordered by degree.

        Args:
            weight: (n_slots, channels), of the neighbour's element; 0 in slots that are filled up.
            radial: (n_slots, l_max + 1, n_max).
            harmonics: (n_slots, (l_max + 1)^2), of the bond.
            sign: (n_slots, 1), -1 where the neighbour is the bond's atom i.
        """
        n_blocks, width = weight.shape[0] // self.block, weight.shape[1] * self.n_max
        sums: list[Tensor] = []
        for degree in range(self.l_max + 1):
            y = harmonics[:, degree * degree : (degree + 1) * (degree + 1)]
            if degree % 2 == 1:
                y = sign * y
            shells = (weight.unsqueeze(2) * radial[:, degree].unsqueeze(1)).reshape(n_blocks, self.block, width)
            sums.append(torch.bmm(shells.transpose(1, 2), y.reshape(n_blocks, self.block, 2 * degree + 1)).flatten(1))
        return torch.cat(sums, dim=1)


class PowerSpectrum(nn.Module):
    """``p_ab^l = pi sqrt(8 / (2 l + 1)) sum_m c_alm c_blm`` for pairs a <= b of (channel, n), which rotations do not change."""

    pairs: Tensor

    def __init__(self, n_rows: int, l_max: int) -> None:
        super().__init__()
        first, second = torch.triu_indices(n_rows, n_rows)
        self.register_buffer("pairs", first * n_rows + second, persistent=False)
        self.factors = [math.pi * math.sqrt(8.0 / (2 * degree + 1)) for degree in range(l_max + 1)]
        self.size = (l_max + 1) * len(first)

    def forward(self, densities: list[Tensor]) -> Tensor:
        """Return (n_atoms, (l_max + 1) * n_pairs), ordered by degree, from coefficients (n_atoms, n_rows, 2 l + 1)."""
        spectra: list[Tensor] = []
        for degree, c in enumerate(densities):
            products = self.factors[degree] * torch.bmm(c, c.transpose(1, 2))
            spectra.append(products.flatten(1).index_select(1, self.pairs))
        return torch.cat(spectra, dim=1)


class Standardization(nn.Module):
    """``(x - mean) factor``, of each column; as long as it is not fitted it changes nothing."""

    mean: Tensor
    factor: Tensor

    def __init__(self, n: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n))
        self.register_buffer("factor", torch.ones(n))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) * self.factor

    def fit(self, x: Tensor) -> None:
        """Take means and standard deviations of x (n_rows, n). Where nothing varies, the largest number becomes 1."""
        self.mean.copy_(x.mean(0))
        deviation = (x - self.mean).square().mean(0).sqrt()
        largest = deviation.max()
        if bool(largest <= 1e-9 * x.abs().max()):
            largest = x.abs().max()
        self.factor.copy_(1.0 / torch.clamp(deviation, min=SMALLEST * float(largest)))


@register("soapnet")
class SOAPNet(Representation):
    """SOAPNet, layers on the SOAP power spectrum (arXiv:2210.08047).

    The density around an atom in orthonormal radial functions and spherical harmonics; its power spectrum; layers, the last
    of which gives the features; the energy is linear in them.
    """

    Config = SOAPNetConfig
    references: ClassVar[list[str]] = [
        "Z. Shui, D. S. Karls, M. Wen, I. A. Nikiforov, E. B. Tadmor, G. Karypis, Injecting domain knowledge from empirical "
        "interatomic potentials to neural networks for predicting material properties, NeurIPS 2022, arXiv:2210.08047",
        "A. P. Bartók, R. Kondor, G. Csányi, On representing chemical environments, Phys. Rev. B 87, 184115 (2013), "
        "doi:10.1103/PhysRevB.87.184115",
    ]
    presets: ClassVar[dict[str, dict[str, object]]] = {
        "published": {
            "cutoff": 5.0,
            "n_max": 8,
            "l_max": 6,
            "sigma": 1.0,
            "channels": None,
            "features": 128,
            "layers": 5,
            "standardize": False,
        }
    }
    example_settings: ClassVar[dict[str, object]] = {
        "cutoff": 4.0,
        "n_max": 4,
        "l_max": 3,
        "sigma": 0.8,  # larger numbers, as nothing is standardised without data
        "channels": 1,
        "features": 10,
        "layers": 3,
    }

    weights: Tensor

    def __init__(self, config: SOAPNetConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        n_channels = min(config.channels or len(elements), len(elements))
        if n_channels == len(elements):
            self.register_buffer("weights", torch.eye(n_channels), persistent=False)
        else:
            self.weights = nn.Parameter(torch.randn(len(elements), n_channels))
        self.density = Density(config)
        self.spectrum = PowerSpectrum(n_channels * config.n_max, config.l_max)
        self.standardization = Standardization(self.spectrum.size)
        self.n_features = config.features
        self.first = linear(self.spectrum.size, config.features, bias=False)
        self.embedding = nn.Embedding(len(elements), config.features)
        self.layers = nn.Sequential(ShiftedSoftplus())
        for _ in range(config.layers - 1):
            self.layers.append(linear(config.features, config.features, gain=SOFTPLUS_GAIN))
            self.layers.append(ShiftedSoftplus())

    def adapt(self, data: TrainingData) -> None:
        system = data.sample(self.weights.dtype) if self.config.standardize else None
        if system is not None:
            with torch.no_grad():
                self.standardization.fit(self.power_spectrum(system))

    def power_spectrum(self, system: System) -> Tensor:
        """Return (n_updated, (l_max + 1) * n_pairs)."""
        return self.spectrum(self.density(system, self.weights))

    def features(self, system: System) -> Tensor:
        x = self.first(self.standardization(self.power_spectrum(system)))
        element = self.embedding.weight.index_select(0, system.species[: system.n_updated])
        features: Tensor = self.layers(x + element)
        return features

    def energy_head(self) -> EnergyHead:
        return LinearHead(self.n_features, SOFTPLUS_GAIN)
