"""TeaNet: atoms and bonds that carry scalars, vectors and rank-2 tensors.

S. Takamoto, S. Izumi, J. Li, Comput. Mater. Sci. 207, 111280 (2022), arXiv:1912.01398. Written from the published description;
widths, activations, normalisation and readout are choices of this package and listed in docs/architectures/teanet.md.

A bond's vectors are always parallel to the bond, so they are kept as signed amplitudes ``a`` with ``v_ij = a u_ij``; the
evaluation is symmetric under i <-> j, so that each bond is evaluated once.
"""

from typing import Annotated, ClassVar, Final

import torch
from pydantic import Field, FiniteFloat
from torch import Tensor, nn
from torch.nn.functional import silu

from unnp.models.base import ArchitectureConfig, Representation
from unnp.models.registry import register
from unnp.nn.bonds import aggregate, combine, project
from unnp.nn.cutoff import polynomial_cutoff
from unnp.nn.exchange import exchange
from unnp.nn.linear import SILU_GAIN, linear
from unnp.nn.radial import SincBasis
from unnp.nn.system import System
from unnp.nn.tensors import smooth_norm, tensor_norm, vector_norm


class TeaNetConfig(ArchitectureConfig):
    """Settings of TeaNet."""

    layer_cutoffs: list[Annotated[FiniteFloat, Field(gt=0)]] = Field(default=[5.0, 5.0], min_length=1)
    """cutoff of each layer [A]; their number is the number of layers"""
    scalars: int = Field(default=32, ge=1)
    """scalar channels of an atom"""
    vectors: int = Field(default=16, ge=1)
    """vector channels of an atom"""
    tensors: int = Field(default=8, ge=1)
    """rank-2 channels of an atom"""
    bond_scalars: int = Field(default=16, ge=1)
    """scalar channels of a bond"""
    projections: int = Field(default=16, ge=1)
    """channels in which the vectors and tensors of two atoms meet on a bond; also vector channels of a bond"""
    hidden: int = Field(default=32, ge=1)
    """width of the hidden state of a bond"""
    radial_functions: int = Field(default=10, ge=1)
    """number of sinc functions of the distance"""
    cutoff_exponent: int = Field(default=6, ge=3)
    """exponent of the polynomial cutoff"""
    average_neighbors: FiniteFloat | None = Field(default=None, gt=0)
    """neighbours per atom within the longest cutoff, to normalise sums; null: taken from the training data"""

    @property
    def cutoff(self) -> float:
        return max(self.layer_cutoffs)

    @property
    def receptive_field(self) -> float:
        return sum(self.layer_cutoffs)


def normalisation(config: TeaNetConfig, k: int) -> float:
    """Return the factor on the sums over the neighbours in layer ``k``, whose cutoff may not be the longest."""
    share = (config.layer_cutoffs[k] / config.cutoff) ** 3
    return float(((config.average_neighbors or 1.0) * share) ** -0.5)


class Update(nn.Module):
    """Gated residual update of an atom from its messages; the change is zero where all messages are zero."""

    last: Final[bool]

    def __init__(self, config: TeaNetConfig, last: bool) -> None:
        super().__init__()
        self.last = last
        cs, cv, ct = config.scalars, config.vectors, config.tensors
        self.widths = [cs] if last else [cs, cv, ct]
        n_messages = sum(self.widths)
        self.gate = nn.Sequential(
            linear(cs + n_messages, 2 * cs), nn.SiLU(), linear(2 * cs, n_messages, gain=SILU_GAIN), nn.Tanh()
        )
        self.scalar = linear(n_messages, cs, bias=False)
        if not last:
            self.isotropic = linear(cs, ct, bias=False)

    def forward(
        self, s: Tensor, v: Tensor, t: Tensor, m_s: Tensor, m_v: Tensor, m_t: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        if self.last:
            return s + self.scalar(m_s) * self.gate(torch.cat([s, m_s], dim=1)), v, t
        invariants = torch.cat([m_s, vector_norm(m_v), tensor_norm(m_t)], dim=1)
        g_s, g_v, g_t = torch.split(self.gate(torch.cat([s, invariants], dim=1)), self.widths, dim=1)
        s = s + self.scalar(invariants) * g_s
        v = v + m_v * g_v.unsqueeze(1)
        t = t + m_t * g_t.unsqueeze(1)
        isotropic = self.isotropic(m_s).unsqueeze(1)
        return s, v, t + torch.cat([isotropic, isotropic, isotropic, torch.zeros_like(t[:, 3:])], dim=1)


class Layer(nn.Module):
    """One TeaNet block. The first finds no vectors and tensors on the atoms yet, the last need not make any."""

    first: Final[bool]
    last: Final[bool]
    short: Final[bool]

    def __init__(self, config: TeaNetConfig, k: int) -> None:
        super().__init__()
        cutoffs = config.layer_cutoffs
        self.first, self.last = k == 0, k == len(cutoffs) - 1
        self.cutoff, self.cutoff_exponent = cutoffs[k], config.cutoff_exponent
        self.short = cutoffs[k] < max(cutoffs)
        self.norm = normalisation(config, k)
        cs, cv, ct = config.scalars, config.vectors, config.tensors
        cb, cp, hidden = config.bond_scalars, config.projections, config.hidden
        self.n_vectors, self.n_tensors = (0, 0) if self.last else (cv, ct)
        self.bond_widths = [cb, cp]
        self.atom = linear(cs if self.first else cs + cv + ct, hidden)
        self.even_odd = linear(hidden, 2 * hidden, bias=False, gain=SILU_GAIN)
        self.bond = linear(cb + cp, cb)
        self.bond_even = linear(cb, hidden, gain=SILU_GAIN)
        if not self.first:
            self.vector = linear(cv, cp, bias=False)
            self.tensor = linear(ct, cp, bias=False)
            self.projected_even = linear(3 * cp, hidden, bias=False)
            self.projected_odd = linear(2 * cp, hidden, bias=False)
        self.message = linear(hidden, cs + self.n_vectors + self.n_tensors, bias=False, gain=0.5)
        if not self.last:
            self.bond_message = linear(hidden, cb + cp, bias=False, gain=0.5)
        self.update = Update(config, self.last)

    def forward(
        self,
        s: Tensor,
        v: Tensor,
        t: Tensor,
        bond_s: Tensor,
        bond_a: Tensor,
        bond_index: Tensor,
        distance: Tensor,
        unit: Tensor,
        n_updated: int,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return the updated atoms' s, v, t and all bonds' scalars and amplitudes after this layer."""
        if not self.short:
            f = polynomial_cutoff(distance, self.cutoff, self.cutoff_exponent).unsqueeze(1)
            s, v, t, to_s, to_a = self.convolve(s, v, t, bond_s, bond_a, bond_index, f, unit, n_updated)
            if not self.last:
                bond_s, bond_a = bond_s + to_s, bond_a + to_a
            return s, v, t, bond_s, bond_a
        rows = torch.nonzero(distance.detach() < self.cutoff).squeeze(1)
        near_s, near_a = bond_s.index_select(0, rows), bond_a.index_select(0, rows)
        f = polynomial_cutoff(distance.index_select(0, rows), self.cutoff, self.cutoff_exponent).unsqueeze(1)
        index, direction = bond_index.index_select(1, rows), unit.index_select(0, rows)
        s, v, t, to_s, to_a = self.convolve(s, v, t, near_s, near_a, index, f, direction, n_updated)
        if not self.last:
            bond_s, bond_a = bond_s.index_add(0, rows, to_s), bond_a.index_add(0, rows, to_a)
        return s, v, t, bond_s, bond_a

    def convolve(
        self,
        s: Tensor,
        v: Tensor,
        t: Tensor,
        bond_s: Tensor,
        bond_a: Tensor,
        bond_index: Tensor,
        f: Tensor,
        unit: Tensor,
        n_updated: int,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return the updated atoms' s, v, t and the changes of the scalars and amplitudes of the bonds given."""
        n_all, n_scalars = s.shape[0], s.shape[1]
        y = self.bond_state(s, v, t, bond_s, bond_a, bond_index, f, unit)
        sums = (
            self.norm * aggregate(self.message(y), unit, bond_index, n_all, self.n_vectors, self.n_tensors)[:n_updated]
        )
        s, v, t = s[:n_updated], v[:n_updated], t[:n_updated]
        if self.last:
            s, v, t = self.update(s, v, t, sums, v, t)
            return s, v, t, bond_s, bond_a
        m_s, m_v, m_t = torch.split(sums, [n_scalars, 3 * self.n_vectors, 6 * self.n_tensors], dim=1)
        m_v, m_t = m_v.reshape(n_updated, 3, self.n_vectors), m_t.reshape(n_updated, 6, self.n_tensors)
        s, v, t = self.update(s, v, t, m_s, m_v, m_t)
        to_s, to_a = torch.split(self.bond_message(y), self.bond_widths, dim=1)
        return s, v, t, to_s, to_a

    def bond_state(
        self,
        s: Tensor,
        v: Tensor,
        t: Tensor,
        bond_s: Tensor,
        bond_a: Tensor,
        bond_index: Tensor,
        f: Tensor,
        unit: Tensor,
    ) -> Tensor:
        """Return y (n_bonds, hidden) times the cutoff function, even under exchange of the two atoms."""
        z = self.bond_even(silu(self.bond(torch.cat([bond_s, smooth_norm(bond_a.square())], dim=1))))
        if self.first:
            atom = self.even_odd(silu(self.atom(s)))
            return combine(atom, z, z[:0], f, bond_index)
        atom = self.even_odd(silu(self.atom(torch.cat([s, vector_norm(v), tensor_norm(t)], dim=1))))
        projected = project(self.vector(v), self.tensor(t), bond_a, f, unit, bond_index)
        even, odd = torch.split(projected, [3 * bond_a.shape[1], 2 * bond_a.shape[1]], dim=1)
        return combine(atom, z + self.projected_even(even), self.projected_odd(odd), f, bond_index)


@register("teanet")
class TeaNet(Representation):
    """Tensor-embedded atom network (arXiv:1912.01398).

    Embedding of the elements and a sinc basis of the distances; layers of atom-bond convolutions; the features are the
    scalars of the atoms.
    """

    Config = TeaNetConfig
    references: ClassVar[list[str]] = [
        "S. Takamoto, S. Izumi, J. Li, TeaNet: universal neural network interatomic potential inspired by iterative "
        "electronic relaxations, Comput. Mater. Sci. 207, 111280 (2022), doi:10.1016/j.commatsci.2022.111280"
    ]
    presets: ClassVar[dict[str, dict[str, object]]] = {
        "S": {"layer_cutoffs": [5.0, 4.0], "scalars": 32, "vectors": 16, "tensors": 16, "hidden": 32},
        "M": {"layer_cutoffs": [5.0, 5.0], "scalars": 64, "vectors": 16, "tensors": 16, "hidden": 64},
        "L": {
            "layer_cutoffs": [5.0, 5.0, 5.0],
            "scalars": 96,
            "vectors": 32,
            "tensors": 32,
            "projections": 32,
            "hidden": 96,
        },
    }
    example_settings: ClassVar[dict[str, object]] = {
        "layer_cutoffs": [3.6, 3.0, 4.0],
        "scalars": 7,
        "vectors": 5,
        "tensors": 3,
        "bond_scalars": 6,
        "projections": 5,
        "hidden": 9,
        "radial_functions": 6,
    }

    def __init__(self, config: TeaNetConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.n_features, self.n_vectors, self.n_tensors = config.scalars, config.vectors, config.tensors
        longest = max(config.layer_cutoffs)
        self.embedding = nn.Embedding(len(elements), config.scalars)
        self.radial = SincBasis(config.radial_functions, longest)
        self.bond_scalars = linear(config.radial_functions, config.bond_scalars, gain=longest)
        self.bond_amplitudes = linear(config.radial_functions, config.projections, gain=longest)
        self.layers = nn.ModuleList(Layer(config, k) for k in range(len(config.layer_cutoffs)))

    def tied_parameters(self) -> list[list[nn.Parameter]]:
        groups: dict[tuple[str, torch.Size], list[nn.Parameter]] = {}
        for layer in self.layers:
            for name, parameter in layer.named_parameters():
                groups.setdefault((name, parameter.shape), []).append(parameter)
        return [group for group in groups.values() if len(group) > 1]

    def features(self, system: System) -> Tensor:
        bond_index, n_all = system.bond_index, system.species.shape[0]
        distance = torch.sqrt(system.bond_vector.square().sum(1))
        unit = system.bond_vector / distance.unsqueeze(1)
        basis = self.radial(distance)
        bond_s, bond_a = self.bond_scalars(basis), self.bond_amplitudes(basis)
        s = self.embedding.weight.index_select(0, system.species)
        v = s.new_zeros([n_all, 3, self.n_vectors])
        t = s.new_zeros([n_all, 6, self.n_tensors])
        for layer in self.layers:
            if system.halo != 0 and not layer.first:
                s, v, t = self.see_ghosts(s, v, t, n_all, system.halo)
            s, v, t, bond_s, bond_a = layer(s, v, t, bond_s, bond_a, bond_index, distance, unit, system.n_updated)
        return s

    def lone_features(self, system: System) -> Tensor:
        return self.embedding.weight

    def see_ghosts(self, s: Tensor, v: Tensor, t: Tensor, n_all: int, halo: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return s, v, t of updated atoms and ghosts."""
        packed = torch.cat([s, v.flatten(1), t.flatten(1)], dim=1)
        packed = exchange(packed, n_all, halo)
        widths = [s.shape[1], 3 * self.n_vectors, 6 * self.n_tensors]
        s, v, t = torch.split(packed, widths, dim=1)
        return s, v.reshape(n_all, 3, self.n_vectors), t.reshape(n_all, 6, self.n_tensors)
