"""TeaNet: atoms and bonds that carry scalars, vectors and rank-2 tensors.

S. Takamoto, S. Izumi, J. Li, Comput. Mater. Sci. 207, 111280 (2022), arXiv:1912.01398. Published are the state of atoms and
bonds and the way from atoms to bonds and back. Widths, activations, normalisation and readout are choices of this package, and
so are two things that the published form has not: products of an atom's vectors and tensors, and vectors, tensors and further
multipoles among the messages of the last layer. docs/architectures/teanet.md lists them; the preset ``published`` leaves the
two out.

A bond's vectors are always parallel to the bond, so they are kept as signed amplitudes ``a`` with ``v_ij = a u_ij``; the
evaluation is symmetric under i <-> j, so that each bond is evaluated once.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from unnp.models.architectures.teanet.config import TeaNetConfig
from unnp.models.architectures.teanet.layers import Layer
from unnp.models.base import Representation
from unnp.models.registry import register
from unnp.nn.exchange import exchange
from unnp.nn.linear import linear
from unnp.nn.radial import SincBasis
from unnp.nn.system import System

# multiples of 16 fill the registers of a CPU: 24 channels would take longer than 32
SMALL: dict[str, object] = {"layer_cutoffs": [5.0, 4.0], "scalars": 16, "vectors": 16, "tensors": 16, "hidden": 16}
MEDIUM: dict[str, object] = {"layer_cutoffs": [5.0, 4.0], "scalars": 32, "vectors": 16, "tensors": 16, "hidden": 32}
PUBLISHED: dict[str, object] = {
    "layer_cutoffs": [5.0, 5.0],
    "scalars": 64,
    "vectors": 16,
    "tensors": 16,
    "hidden": 64,
    "radial_functions": 10,
}
LARGE: dict[str, object] = {
    "layer_cutoffs": [5.0, 5.0, 5.0],
    "scalars": 96,
    "vectors": 32,
    "tensors": 32,
    "projections": 32,
    "hidden": 96,
}


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
        "S": SMALL | {"products": 8, "degree": 4, "multipoles": 8},
        "M": MEDIUM | {"products": 8, "degree": 6, "multipoles": 8},
        "L": LARGE | {"products": 16, "degree": 6, "multipoles": 16},
        "published": PUBLISHED | {"products": 0, "degree": 2, "last_messages": "scalars"},
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
        "products": 4,
        "degree": 4,
        "multipoles": 3,
        "last_messages": "all",
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
