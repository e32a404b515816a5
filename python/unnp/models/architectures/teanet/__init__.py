"""TeaNet: atoms and bonds that carry scalars, vectors and rank-2 tensors.

S. Takamoto, S. Izumi, J. Li, Comput. Mater. Sci. 207, 111280 (2022), arXiv:1912.01398. Published are the state of atoms and
bonds and the way from atoms to bonds and back. Widths, activations, normalisation and readout are choices of this package, and
so are three things that the published form has not: products of an atom's vectors and tensors; vectors and tensors among the
messages of the last layer; and multipoles of higher degree among them. docs/architectures/teanet.md lists them; the preset
``published-form`` leaves the three out, and so does ``hme21``, with the four layers of 6 A of the HME21 paper.

A bond's vectors are always parallel to the bond, so they are kept as signed amplitudes ``a`` with ``v_ij = a u_ij``; the
evaluation is symmetric under i <-> j, so that each bond is evaluated once.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from unnp.models.architectures.teanet.config import TeaNetConfig
from unnp.models.architectures.teanet.layers import Layer
from unnp.models.architectures.teanet.state import Atoms, Bonds
from unnp.models.base import Representation
from unnp.models.registry import register
from unnp.nn.linear import linear
from unnp.nn.packing import exchange_parts
from unnp.nn.radial import SincBasis
from unnp.nn.system import System

# multiples of 16 fill the registers of a CPU: 24 channels would take longer than 32
SMALL: dict[str, object] = {"layer_cutoffs": [5.0, 4.0], "scalars": 16, "vectors": 16, "tensors": 16, "hidden": 16}
FORM: dict[str, object] = {"products": 0, "degree": 2, "last_messages": "scalars", "radial_functions": 10}
"""the published form, whose widths were not published"""
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
        "M": {},
        "L": LARGE | {"products": 16, "degree": 6, "multipoles": 16},
        "published-form": FORM | {"layer_cutoffs": [5.0, 5.0], "scalars": 64, "hidden": 64},
        "hme21": FORM | {"layer_cutoffs": [6.0] * 4, "scalars": 128, "vectors": 64, "tensors": 32, "hidden": 128},
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
        n_all = system.species.shape[0]
        distance = torch.sqrt(system.bond_vector.square().sum(1))
        basis = self.radial(distance)
        unit = system.bond_vector / distance.unsqueeze(1)
        bonds = Bonds(system.bond_index, distance, unit, self.bond_scalars(basis), self.bond_amplitudes(basis))
        s = self.embedding.weight.index_select(0, system.species)
        atoms = Atoms(s, s.new_zeros([n_all, 3, self.n_vectors]), s.new_zeros([n_all, 6, self.n_tensors]))
        for layer in self.layers:
            if not layer.first:
                s, v, t = exchange_parts([atoms.s, atoms.v, atoms.t], n_all, system.halo)
                atoms = Atoms(s, v, t)
            atoms, bonds = layer(atoms, bonds, system.n_updated)
        return atoms.s

    def lone_features(self, system: System) -> Tensor:
        return self.embedding.weight
