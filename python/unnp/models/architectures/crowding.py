"""Crowding: a repulsion between atoms that are crowded more densely than in any training structure."""

from typing import Annotated, ClassVar

import torch
from ase.data import covalent_radii
from pydantic import Field, FiniteFloat
from torch import Tensor

from unnp.atoms.elements import atomic_number
from unnp.errors import ConfigError
from unnp.models.base import ArchitectureConfig, Term, TrainingData
from unnp.models.registry import register
from unnp.nn.system import System

Positive = Annotated[FiniteFloat, Field(gt=0)]


class CrowdingConfig(ArchitectureConfig):
    """Settings of the crowding."""

    cutoff: FiniteFloat = Field(default=4.0, gt=0)
    """distance [A] up to which two atoms of the largest element are neighbours; smaller ones have to be closer"""
    most: Positive | dict[str, Positive] | None = None
    """weighted number of neighbours up to which there is no energy: of all atoms, or by element; null: the largest that each
    element has in the training data"""
    strength: FiniteFloat = Field(default=20.0, gt=0)
    """energy [eV] of an atom with twice as many"""


@register("crowding")
class Crowding(Term):
    """Energy of atoms with more neighbours than any atom of the training data has, without anything to train.

    ``E_i = strength max(0, rho_i / most_i - 1)^3`` with ``rho_i = sum over neighbours of (1 - r_ij^2 / c_ij^2)^3`` and
    ``c_ij = cutoff (R_i + R_j) / (2 R_largest)``, covalent radii R of Cordero et al., and ``most_i`` of the atom's element.
    Energy and its first two derivatives are continuous, and zero on all training structures. Always computed in float64.
    """

    Config = CrowdingConfig
    references: ClassVar[list[str]] = ["B. Cordero et al., Covalent radii revisited, Dalton Trans. 2832 (2008)"]
    example_settings: ClassVar[dict[str, object]] = {"most": 0.01, "strength": 1e-6}

    sizes: Tensor
    most: Tensor

    def __init__(self, config: CrowdingConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.cutoff, self.strength = config.cutoff, config.strength
        self.register_buffer("most", self._most_of(config.most), persistent=False)
        radii = torch.tensor([covalent_radii[atomic_number(e)] for e in elements], dtype=torch.float64)
        self.register_buffer("sizes", radii / radii.max(), persistent=False)

    def _most_of(self, given: float | dict[str, float] | None) -> Tensor:
        """Return ``most`` of each element (n_elements,); an element that a table lacks has the largest number in it."""
        if not isinstance(given, dict):
            return torch.full([len(self.elements)], float("inf") if given is None else given, dtype=torch.float64)
        if not given:
            raise ConfigError("crowding: `most` is an empty table; give a number for each element, or one for all.")
        largest = max(given.values())
        return torch.tensor([given.get(symbol, largest) for symbol in self.elements], dtype=torch.float64)

    def adapt(self, data: TrainingData) -> None:
        """Take the largest number of neighbours that each element has in the training data for ``most``."""
        if self.config.most is not None:
            return
        found = torch.zeros(len(self.elements), dtype=torch.float64)
        for g in data.graphs:
            found.scatter_reduce_(0, g.species, self.neighbors(g.species, g.bond_index, g.bond_vector), "amax")
        most = {symbol: number for symbol, number in zip(self.elements, found.tolist(), strict=True) if number > 0}
        if not most:
            raise ConfigError(
                f"crowding: no two atoms of the training data are within {self.cutoff:g} A, so `most` cannot be taken "
                "from them; give it, or a longer `cutoff`."
            )
        self.config = self.config.model_copy(update={"most": most})
        self.most = self._most_of(most)

    def energies(self, system: System) -> Tensor:
        found = self.neighbors(system.species, system.bond_index, system.bond_vector)[: system.n_updated]
        most = self.most.double().index_select(0, system.species[: system.n_updated])
        # relu hands on what is not a number, so that it shows in the energy
        return self.strength * torch.relu(found / most - 1.0).pow(3)

    def neighbors(self, species: Tensor, bond_index: Tensor, bond_vector: Tensor) -> Tensor:
        """Return rho (n_atoms,) float64 of atoms with these species and bonds."""
        sizes = self.sizes.double().index_select(0, species)
        i, j = bond_index[0], bond_index[1]
        reach = 0.5 * self.cutoff * (sizes.index_select(0, i) + sizes.index_select(0, j))
        weight = torch.relu(1.0 - bond_vector.double().square().sum(1) / reach.square()).pow(3)
        return weight.new_zeros([species.shape[0]]).index_add(0, i, weight).index_add(0, j, weight)
