"""PaiNN: atoms that carry scalars and vectors, and messages that depend on sender, distance and direction.

K. T. Schütt, O. T. Unke, M. Gastegger, ICML 2021, arXiv:2102.03150. Written from the published description; choices of this
package are listed in docs/architectures/painn.md. Vectors are stored as (n, 3, features).
"""

from typing import ClassVar, Final

import torch
from pydantic import Field, FiniteFloat
from torch import Tensor, nn

from unnp.models.base import ArchitectureConfig, Representation
from unnp.models.registry import register
from unnp.nn.cutoff import CutoffFunction, CutoffKind
from unnp.nn.edges import within
from unnp.nn.heads import EnergyHead, MLPHead
from unnp.nn.linear import SILU_GAIN, linear
from unnp.nn.norm import norm_of
from unnp.nn.packing import exchange_parts
from unnp.nn.radial import SincBasis
from unnp.nn.system import System
from unnp.nn.tensors import smooth_norm


class PaiNNConfig(ArchitectureConfig):
    """Settings of PaiNN."""

    cutoff: FiniteFloat = Field(default=5.0, gt=0)
    """longest bond [A]"""
    features: int = Field(default=128, ge=1)
    """scalar channels and vector channels of an atom"""
    layers: int = Field(default=3, ge=1)
    """number of layers"""
    radial_functions: int = Field(default=20, ge=1)
    """number of sinc functions of the distance"""
    cutoff_function: CutoffKind = "polynomial"
    """`polynomial`, with two continuous derivatives, or `cosine`, as published, whose second derivative jumps at the cutoff"""
    cutoff_exponent: int = Field(default=6, ge=3)
    """exponent of the polynomial cutoff"""
    norm_epsilon: FiniteFloat = Field(default=0.1, gt=0)
    """length below which the norm of a vector is rounded off; published: a norm with a cusp at zero"""
    average_neighbors: FiniteFloat | None = Field(default=None, gt=0)
    """neighbours per atom, by whose square root sums are divided; 1: plain sums, as published; null: from the training data"""

    @property
    def receptive_field(self) -> float:
        return self.layers * self.cutoff


class Message(nn.Module):
    """Sums over neighbours: ``s_i += sum_j a``, ``v_i += sum_j (b u_ij + c v_j)`` with ``(a, b, c) = MLP(s_j) * filter(r_ij)``.

    In the first layer there are no vectors yet, and no c.
    """

    first: Final[bool]

    def __init__(self, config: PaiNNConfig, first: bool) -> None:
        super().__init__()
        n, parts = config.features, 2 if first else 3
        self.first = first
        self.norm = norm_of(config.average_neighbors)
        self.filter = linear(config.radial_functions, parts * n, gain=config.cutoff)
        self.send = nn.Sequential(linear(n, n), nn.SiLU(), linear(n, parts * n, gain=0.5 * SILU_GAIN))

    def forward(
        self, sent: Tensor, v: Tensor, basis: Tensor, envelope: Tensor, unit: Tensor, bond_index: Tensor, n_updated: int
    ) -> tuple[Tensor, Tensor]:
        """Return the changes of the updated atoms' scalars and vectors.

        Args:
            sent: (n_all, 2 or 3 times features), what atoms send.
            v: (n_all, 3, features), their vectors.
            basis: (n_bonds, radial_functions).
            envelope: (n_bonds, 1).
            unit: (n_bonds, 3), from i to j.
            bond_index: (2, n_bonds).
            n_updated: number of updated atoms.
        """
        weights = self.filter(basis) * (self.norm * envelope)
        i, j = bond_index[0], bond_index[1]
        s_i, v_i = self.along(weights, sent, v, j, unit)
        s_j, v_j = self.along(weights, sent, v, i, -unit)
        n_all, n = sent.shape[0], s_i.shape[1]
        scalars = sent.new_zeros([n_all, n]).index_add(0, i, s_i).index_add(0, j, s_j)[:n_updated]
        vectors = sent.new_zeros([n_all, 3 * n]).index_add(0, i, v_i).index_add(0, j, v_j)[:n_updated]
        return scalars, vectors.reshape(n_updated, 3, n)

    def along(self, weights: Tensor, sent: Tensor, v: Tensor, sender: Tensor, unit: Tensor) -> tuple[Tensor, Tensor]:
        """Return the messages of the bonds' senders, scalars (n_bonds, features) and vectors (n_bonds, 3 * features)."""
        message = weights * sent.index_select(0, sender)
        if self.first:
            a, b = message.chunk(2, dim=1)
            return a, (unit.unsqueeze(2) * b.unsqueeze(1)).flatten(1)
        a, b, c = message.chunk(3, dim=1)
        vectors = unit.unsqueeze(2) * b.unsqueeze(1) + c.unsqueeze(1) * v.index_select(0, sender)
        return a, vectors.flatten(1)


class Update(nn.Module):
    """On an atom: ``s += a + b (Uv . Vv)``, ``v += c Uv`` with ``(a, b, c) = MLP(s, |Vv|)``.

    In the last layer the vectors stay, and there is no c.
    """

    last: Final[bool]

    def __init__(self, config: PaiNNConfig, last: bool) -> None:
        super().__init__()
        n, parts = config.features, 2 if last else 3
        self.last, self.epsilon = last, config.norm_epsilon
        self.mix = linear(n, 2 * n, bias=False)
        self.gates = nn.Sequential(linear(2 * n, n), nn.SiLU(), linear(n, parts * n, gain=0.5 * SILU_GAIN))

    def forward(self, s: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return new scalars (n, features) and vectors (n, 3, features)."""
        u_v, v_v = self.mix(v).chunk(2, dim=2)
        gates = self.gates(torch.cat([s, smooth_norm(v_v.square().sum(1), self.epsilon)], dim=1))
        product = (u_v * v_v).sum(1)
        if self.last:
            a, b = gates.chunk(2, dim=1)
            return s + a + b * product, v
        a, b, c = gates.chunk(3, dim=1)
        return s + a + b * product, v + c.unsqueeze(1) * u_v


class Layer(nn.Module):
    """Messages, then the update of each atom."""

    first: Final[bool]

    def __init__(self, config: PaiNNConfig, k: int) -> None:
        super().__init__()
        self.first = k == 0
        self.message = Message(config, self.first)
        self.update = Update(config, k == config.layers - 1)

    def forward(
        self,
        s: Tensor,
        v: Tensor,
        element: Tensor,
        species: Tensor,
        basis: Tensor,
        envelope: Tensor,
        unit: Tensor,
        bond_index: Tensor,
        halo: int,
    ) -> tuple[Tensor, Tensor]:
        """Return new scalars (n_updated, features) and vectors (n_updated, 3, features).

        Args:
            s, v: those before this layer, of the updated atoms.
            element: (n_elements, features), scalars before the first layer.
            species: (n_all,).
            basis, envelope, unit, bond_index: as of ``Message``.
            halo: handle of the exchange, 0 for none.
        """
        if self.first:  # the elements of ghosts are known, and there are no vectors yet
            sent, v_all = self.message.send(element).index_select(0, species), v
        else:
            s_all, v_all = exchange_parts([s, v], species.shape[0], halo)
            sent = self.message.send(s_all)
        m_s, m_v = self.message(sent, v_all, basis, envelope, unit, bond_index, s.shape[0])
        return self.update(s + m_s, v + m_v)


@register("painn")
class PaiNN(Representation):
    """Polarizable atom interaction network: equivariant messages of scalars and vectors (arXiv:2102.03150).

    Embedding of the elements and a sinc basis of the distances; layers of messages and updates; the energy of an atom is
    ``MLP(s_i) - MLP(s of an atom without bonds)``.
    """

    Config = PaiNNConfig
    references: ClassVar[list[str]] = [
        "K. T. Schütt, O. T. Unke, M. Gastegger, Equivariant message passing for the prediction of tensorial properties and "
        "molecular spectra, Proc. 38th Int. Conf. Machine Learning, PMLR 139, 9377 (2021), arXiv:2102.03150"
    ]
    presets: ClassVar[dict[str, dict[str, object]]] = {
        "published": {
            "cutoff": 5.0,
            "features": 128,
            "layers": 3,
            "radial_functions": 20,
            "cutoff_function": "cosine",
            "norm_epsilon": 1e-4,
            "average_neighbors": 1.0,
        }
    }
    example_settings: ClassVar[dict[str, object]] = {
        "cutoff": 4.0,
        "features": 7,
        "layers": 3,
        "radial_functions": 6,
    }

    def __init__(self, config: PaiNNConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.longest, self.n_features = config.cutoff, config.features
        self.embedding = nn.Embedding(len(elements), config.features)
        self.radial = SincBasis(config.radial_functions, config.cutoff)
        self.envelope = CutoffFunction(config.cutoff_function, config.cutoff, config.cutoff_exponent)
        self.layers = nn.ModuleList(Layer(config, k) for k in range(config.layers))

    def features(self, system: System) -> Tensor:
        bond_index, bond_vector = within(system.bond_index, system.bond_vector, self.longest)
        distance = torch.sqrt(bond_vector.square().sum(1))
        unit = bond_vector / distance.unsqueeze(1)
        basis, envelope = self.radial(distance), self.envelope(distance).unsqueeze(1)
        element = self.embedding.weight
        s = element.index_select(0, system.species[: system.n_updated])
        v = s.new_zeros([system.n_updated, 3, self.n_features])
        for layer in self.layers:
            s, v = layer(s, v, element, system.species, basis, envelope, unit, bond_index, system.halo)
        return s

    def energy_head(self) -> EnergyHead:
        return MLPHead(self.n_features, max(1, self.n_features // 2), nn.SiLU(), SILU_GAIN)
