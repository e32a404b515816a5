"""NequIP: layers of messages between atoms that carry spherical tensors."""

from typing import ClassVar

from torch import Tensor, nn

from unnp.models.architectures.nequip.config import NequIPConfig
from unnp.models.architectures.nequip.irreps import irreps_of_layers
from unnp.models.architectures.nequip.layers import Layer, kinds_of
from unnp.models.architectures.nequip.messages import Bonds
from unnp.models.base import Representation
from unnp.models.registry import register
from unnp.nn.heads import EnergyHead, MLPHead
from unnp.nn.linear import SILU_GAIN
from unnp.nn.system import System

_HME21: dict[str, object] = {"cutoff": 6.0, "layers": 5, "features": 32, "parity": True}


@register("nequip")
class NequIP(Representation):
    """Neural equivariant interatomic potential: spherical tensors on the atoms (arXiv:2101.03164).

    Embedding of the elements; layers of messages, which are products of the neighbours' tensors with spherical harmonics, and
    gates; the energy of an atom is a linear map of its scalars behind the last layer, less that of an atom without bonds.
    """

    Config = NequIPConfig
    references: ClassVar[list[str]] = [
        "S. Batzner, A. Musaelian, L. Sun, M. Geiger, J. P. Mailoa, M. Kornbluth, N. Molinari, T. E. Smidt, B. Kozinsky, "
        "E(3)-equivariant graph neural networks for data-efficient and accurate interatomic potentials, Nat. Commun. 13, 2453 "
        "(2022), arXiv:2101.03164"
    ]
    presets: ClassVar[dict[str, dict[str, object]]] = {
        "published": {
            "cutoff": 5.0,
            "l_max": 2,
            "parity": True,
            "features": 32,
            "layers": 6,
            "radial_layers": 3,
            "radial_features": 64,
        },
        "hme21-l0": {**_HME21, "l_max": 0},
        "hme21-l1": {**_HME21, "l_max": 1},
        "hme21-l2": {**_HME21, "l_max": 2},
    }
    example_settings: ClassVar[dict[str, object]] = {
        "cutoff": 4.0,
        "l_max": 2,
        "features": 4,
        "layers": 3,
        "radial_functions": 5,
        "radial_features": 8,
    }

    def __init__(self, config: NequIPConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.n_features = config.features
        self.embedding = nn.Embedding(len(elements), config.features)
        self.bonds = Bonds(config)
        irreps = irreps_of_layers(config.l_max, config.parity, config.layers)
        self.layers = nn.ModuleList(
            Layer(config, irreps[k], irreps[k + 1], self.n_elements, first=k == 0) for k in range(config.layers)
        )

    def features(self, system: System) -> Tensor:
        species = system.species[: system.n_updated]
        kinds, geometry = kinds_of(species, self.n_elements), self.bonds(system)
        element = self.embedding.weight.unsqueeze(1)
        h = element.index_select(0, species)
        for layer in self.layers:
            h = layer(h, element, system.species, kinds, geometry, system.halo)
        return h.squeeze(1)

    def energy_head(self) -> EnergyHead:
        return MLPHead(self.n_features, max(1, self.n_features // 2), nn.Identity(), SILU_GAIN)
