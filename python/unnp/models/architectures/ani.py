"""ANI: an atom's surroundings as fixed functions of distances and angles, and a network of its own for each element.

J. S. Smith, O. Isayev, A. E. Roitberg, Chem. Sci. 8, 3192 (2017), arXiv:1610.08935, after J. Behler, M. Parrinello, Phys.
Rev. Lett. 98, 146401 (2007); the constants are those of ANI-2x. Written from the published description; choices of this package
are listed in docs/architectures/ani.md.
"""

import math
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, FiniteFloat, model_validator
from torch import Tensor, nn

from unnp.models.base import ArchitectureConfig, Representation, TrainingData
from unnp.models.registry import register
from unnp.nn.activations import CELU, CELU_GAIN
from unnp.nn.cutoff import CutoffFunction, CutoffKind
from unnp.nn.edges import Edges, directed, within
from unnp.nn.heads import ElementHead, EnergyHead
from unnp.nn.linear import SILU_GAIN, linear
from unnp.nn.scaling import Scaling, fit_scalings
from unnp.nn.system import System
from unnp.nn.triplets import pairs

ACTIVATIONS: dict[str, type[nn.Module]] = {"silu": nn.SiLU, "celu": CELU}
GAINS = {"silu": SILU_GAIN, "celu": CELU_GAIN}

PUBLISHED: dict[str, object] = {
    "radial_cutoff": 5.1,
    "angular_cutoff": 3.5,
    "scale": 1.0,
    "first_shift": 0.8,
    "radial_shifts": 16,
    "radial_eta": 19.7,
    "angular_shifts": 8,
    "angular_eta": 12.5,
    "sections": 4,
    "zeta": 14.1,
    "hidden": [256, 192, 160],
    "activation": "celu",
    "cutoff_function": "cosine",
    "normalize": False,
}
ANI_1X: dict[str, object] = {
    "radial_cutoff": 5.2,
    "first_shift": 0.9,
    "radial_eta": 16.0,
    "angular_shifts": 4,
    "angular_eta": 8.0,
    "sections": 8,
    "zeta": 32.0,
    "hidden": [160, 128, 96],
}


class ANIConfig(ArchitectureConfig):
    """Settings of ANI. Lengths are those before `scale`."""

    radial_cutoff: FiniteFloat = Field(default=5.1, gt=0)
    """longest bond [A] of the functions of a distance"""
    angular_cutoff: FiniteFloat = Field(default=3.5, gt=0)
    """longest bonds [A] of the functions of an angle"""
    scale: FiniteFloat = Field(default=1.0, gt=0)
    """factor of all lengths, for a material whose atoms are farther apart than those of organic molecules; 1: as published"""
    first_shift: FiniteFloat = Field(default=0.8, ge=0)
    """distance [A] of the first Gaussians; the others follow at equal distances, up to one step before the cutoff"""
    radial_shifts: int = Field(default=16, ge=1)
    """Gaussians of a distance"""
    radial_eta: FiniteFloat = Field(default=19.7, gt=0)
    """their exponent [1/A^2]"""
    angular_shifts: int = Field(default=8, ge=1)
    """Gaussians of the mean distance of two neighbours"""
    angular_eta: FiniteFloat = Field(default=12.5, gt=0)
    """their exponent [1/A^2]"""
    sections: int = Field(default=4, ge=1)
    """functions of the angle beside each of these"""
    zeta: FiniteFloat = Field(default=14.1, ge=1)
    """their exponent: the larger, the narrower"""
    hidden: list[Annotated[int, Field(ge=1)]] = Field(default=[256, 192, 160], min_length=1)
    """widths of the hidden layers; the last are the features"""
    activation: Literal["silu", "celu"] = "silu"
    """`silu`, or `celu`, as published, whose second derivative jumps at zero"""
    cutoff_function: CutoffKind = "polynomial"
    """`polynomial`, with two continuous derivatives, or `cosine`, as published, whose second derivative jumps at the cutoff"""
    cutoff_exponent: int = Field(default=6, ge=3)
    """exponent of the polynomial cutoff"""
    normalize: bool = True
    """divide functions of distances and of angles by their root mean square in the training data; false: as published"""

    @property
    def cutoff(self) -> float:
        return self.scale * max(self.radial_cutoff, self.angular_cutoff)

    @model_validator(mode="after")
    def _first_shift_is_within(self) -> Self:
        if self.first_shift >= min(self.radial_cutoff, self.angular_cutoff):
            raise ValueError(
                f"first_shift {self.first_shift:g} A must be below radial_cutoff {self.radial_cutoff:g} A and angular_cutoff "
                f"{self.angular_cutoff:g} A: make it smaller, or the cutoff larger."
            )
        return self


class Gaussians(nn.Module):
    """``exp(-eta (r - R_k)^2)``, ``R_k = first + k (last - first) / n``, k = 0..n - 1.

    Args:
        n_functions: n.
        first: [A].
        last: [A].
        eta: [1/A^2].
    """

    numbers: Tensor

    def __init__(self, n_functions: int, first: float, last: float, eta: float) -> None:
        super().__init__()
        self.first, self.step = first, (last - first) / n_functions
        self.exponent = -eta * self.step**2
        # in units of the step the shifts are whole numbers, exact in every number type
        self.register_buffer("numbers", torch.arange(n_functions).to(torch.get_default_dtype()), persistent=False)

    def forward(self, distance: Tensor) -> Tensor:
        """Return (n, n_functions) from distances (n,) [A]."""
        return torch.exp(self.exponent * ((distance.unsqueeze(1) - self.first) / self.step - self.numbers).square())


class Sections(nn.Module):
    """``2 ((1 + cos(t - t_k)) / 2)^zeta``, ``t = acos(0.95 cos(angle))``, ``t_k = (k + 1/2) pi / n``, k = 0..n - 1.

    t itself is not needed: ``cos(t - t_k) = cos t cos t_k + sin t sin t_k``, and the sine of t is 0.31 or more.

    Args:
        n_functions: n.
        zeta: exponent.
    """

    centres: Tensor

    def __init__(self, n_functions: int, zeta: float) -> None:
        super().__init__()
        self.damping, self.zeta = 0.95, zeta
        angles = (torch.arange(n_functions) + 0.5) * (math.pi / n_functions)
        self.register_buffer("centres", torch.stack([torch.cos(angles), torch.sin(angles)]), persistent=False)

    def forward(self, cosine: Tensor) -> Tensor:
        """Return (n, n_functions) from the cosines (n,) of angles."""
        c = (self.damping * cosine).unsqueeze(1)
        s = torch.sqrt(1.0 - c.square())
        return 2.0 * (0.5 + 0.5 * (c * self.centres[0] + s * self.centres[1])).pow(self.zeta)


class Environment(nn.Module):
    """What an atom has around it: sums over its neighbours for each element, and over pairs of them for each two elements.

    Attributes:
        n_radial: functions of distances.
        n_angular: functions of angles.
    """

    pair: Tensor

    def __init__(self, config: ANIConfig, n_elements: int) -> None:
        super().__init__()
        self.n_elements, self.n_pairs = n_elements, n_elements * (n_elements + 1) // 2
        self.n_radial = n_elements * config.radial_shifts
        self.n_angular = self.n_pairs * config.angular_shifts * config.sections
        self.unit, self.longest, self.longest_of_angle = config.scale, config.radial_cutoff, config.angular_cutoff
        first, kind, exponent = config.first_shift, config.cutoff_function, config.cutoff_exponent
        self.radial = Gaussians(config.radial_shifts, first, self.longest, config.radial_eta)
        self.envelope = CutoffFunction(kind, self.longest, exponent)
        self.angular = Gaussians(config.angular_shifts, first, self.longest_of_angle, config.angular_eta)
        self.envelope_of_angle = CutoffFunction(kind, self.longest_of_angle, exponent)
        self.sections = Sections(config.sections, config.zeta)
        self.register_buffer("pair", numbers_of_pairs(n_elements), persistent=False)

    def distances(self, system: System) -> Tensor:
        """Return the functions of distances, (n_updated, n_radial)."""
        edges = self.edges(system, self.longest)
        distance = torch.sqrt(edges.vector.square().sum(1))
        # the factor is not in the article, but in the authors' programs and so in the published networks
        parts = self.radial(distance) * (0.25 * self.envelope(distance)).unsqueeze(1)
        place = edges.receiver * self.n_elements + system.species.index_select(0, edges.sender)
        total = parts.new_zeros([system.n_updated * self.n_elements, parts.shape[1]])
        return total.index_add(0, place, parts).reshape(system.n_updated, self.n_radial)

    def angles(self, system: System) -> Tensor:
        """Return the functions of angles, (n_updated, n_angular)."""
        edges = self.edges(system, self.longest_of_angle)
        distance = torch.sqrt(edges.vector.square().sum(1))
        unit = edges.vector / distance.unsqueeze(1)
        envelope, element = self.envelope_of_angle(distance), system.species.index_select(0, edges.sender)
        j, k = pairs(edges, system.n_updated)
        mean = 0.5 * (distance.index_select(0, j) + distance.index_select(0, k))
        weight = envelope.index_select(0, j) * envelope.index_select(0, k)
        cosine = (unit.index_select(0, j) * unit.index_select(0, k)).sum(1)
        radial = self.angular(mean) * weight.unsqueeze(1)
        parts = (radial.unsqueeze(2) * self.sections(cosine).unsqueeze(1)).flatten(1)
        both = element.index_select(0, j) * self.n_elements + element.index_select(0, k)
        place = edges.receiver.index_select(0, j) * self.n_pairs + self.pair.index_select(0, both)
        total = parts.new_zeros([system.n_updated * self.n_pairs, parts.shape[1]])
        return total.index_add(0, place, parts).reshape(system.n_updated, self.n_angular)

    def edges(self, system: System, longest: float) -> Edges:
        """Return the edges that updated atoms receive, lengths in units of the scale."""
        bond_index, bond_vector = within(system.bond_index, system.bond_vector / self.unit, longest)
        return directed(bond_index, bond_vector, system.n_updated)


def numbers_of_pairs(n_elements: int) -> Tensor:
    """Return for elements a and b at ``a * n_elements + b`` the number of the pair, which its order does not change."""
    a, b = torch.triu_indices(n_elements, n_elements).unbind(0)
    number = torch.zeros([n_elements, n_elements], dtype=torch.int64)
    number[a, b] = number[b, a] = torch.arange(a.shape[0])
    return number.flatten()


class ElementNetworks(nn.Module):
    """A network of its own for the atoms of each element, from ``n_in`` numbers to the last hidden layer."""

    def __init__(self, n_elements: int, n_in: int, config: ANIConfig) -> None:
        super().__init__()
        self.width = config.hidden[-1]
        self.networks = nn.ModuleList(
            hidden_layers([n_in, *config.hidden], config.activation) for _ in range(n_elements)
        )

    def forward(self, x: Tensor, species: Tensor) -> Tensor:
        """Return the last hidden layers (n_atoms, width) from ``x`` (n_atoms, n_in) and species (n_atoms,)."""
        features = x.new_zeros([x.shape[0], self.width])
        for k, network in enumerate(self.networks):
            rows = torch.nonzero(species == k).squeeze(1)
            features = features.index_copy(0, rows, network(x.index_select(0, rows)))
        return features


def hidden_layers(widths: list[int], activation: str) -> nn.Sequential:
    """Return linear maps from width to width, each with an activation behind it."""
    layers: list[nn.Module] = []
    for k, (n_in, n_out) in enumerate(pairwise(widths)):
        layers += [linear(n_in, n_out, gain=GAINS[activation] if k else 1.0), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers)


@register("ani")
class ANI(Representation):
    """Fixed functions of distances and angles, and a network for each element (arXiv:1610.08935).

    The features of an atom are the last hidden layer of its element's network, and its energy is linear in them.
    """

    Config = ANIConfig
    cost = "triplets"
    references: ClassVar[list[str]] = [
        "J. S. Smith, O. Isayev, A. E. Roitberg, ANI-1: an extensible neural network potential with DFT accuracy at force "
        "field computational cost, Chem. Sci. 8, 3192 (2017), doi:10.1039/C6SC05720A",
        "C. Devereux et al., Extending the applicability of the ANI deep learning molecular potential to sulfur and halogens, "
        "J. Chem. Theory Comput. 16, 4192 (2020), doi:10.1021/acs.jctc.0c00121",
    ]
    presets: ClassVar[dict[str, dict[str, object]]] = {"published": PUBLISHED, "ani-1x": PUBLISHED | ANI_1X}
    example_settings: ClassVar[dict[str, object]] = {
        "radial_shifts": 5,
        "angular_shifts": 3,
        "sections": 3,
        "hidden": [8, 7],
    }

    def __init__(self, config: ANIConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.n_features = config.hidden[-1]
        self.environment = Environment(config, self.n_elements)
        self.scale_distances, self.scale_angles = Scaling(), Scaling()
        n_in = self.environment.n_radial + self.environment.n_angular
        self.networks = ElementNetworks(self.n_elements, n_in, config)

    def adapt(self, data: TrainingData) -> None:
        system = data.sample(self.scale_angles.factor.dtype) if self.config.normalize else None
        if system is not None:
            fit_scalings(self, data.average_neighbors, lambda: self.features(system))

    def features(self, system: System) -> Tensor:
        r, a = self.environment.distances(system), self.environment.angles(system)
        x = torch.cat([self.scale_distances(r, torch.ones_like(r)), self.scale_angles(a, torch.ones_like(a))], dim=1)
        features: Tensor = self.networks(x, system.species[: system.n_updated])
        return features

    def energy_head(self) -> EnergyHead:
        return ElementHead(self.n_elements, self.n_features, GAINS[self.config.activation])
