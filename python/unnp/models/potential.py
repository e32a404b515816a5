"""A potential: the sum of an architecture and optional further terms, in eV, with reference energies."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from pydantic import Field, FiniteFloat
from torch import Tensor, nn

from unnp.config import Config, from_dict
from unnp.elements import Elements
from unnp.errors import ConfigError, unknown
from unnp.models.base import Architecture, ArchitectureConfig, HaloKind, ModelStatistics, architecture


class PotentialConfig(Config):
    """Which architecture, with which settings."""

    architecture: str = "teanet"
    """name in the registry (`unnp models`)"""
    preset: str | None = None
    """named set of settings of the architecture, S, M, L, ...; settings override it"""
    settings: dict[str, Any] = Field(default_factory=dict)
    """settings of the architecture"""
    add: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """further terms by registry name, for instance `zbl: {}` for screened nuclear repulsion; energies in eV, not scaled"""

    def summands(self) -> dict[str, ArchitectureConfig]:
        """Return the checked settings of the architecture and of the further terms by registry name.

        Raises:
            ConfigError: an unknown architecture, preset or setting.
        """
        kind = architecture(self.architecture)
        summands = {kind.name: self._settings(kind, _with_preset(kind, self), f"settings ({kind.name})")}
        return summands | {n: self._settings(architecture(n), given, f"add.{n}") for n, given in self.add.items()}

    def cutoff(self) -> float:
        """Return the length [A] of the longest bond that has to be listed; errors are those of ``summands``."""
        return max(settings.cutoff for settings in self.summands().values())

    @staticmethod
    def _settings(kind: type[Architecture], given: dict[str, Any], where: str) -> ArchitectureConfig:
        return from_dict(given, kind.Config, where=f"potential.{where}")


class PotentialDescription(Config):
    """What a potential is built from, beside its weights."""

    architecture: str
    """name in the registry"""
    settings: dict[str, Any]
    """all settings of the architecture"""
    add: dict[str, dict[str, Any]]
    """further terms by registry name, with all their settings"""
    elements: list[str] = Field(min_length=1)
    """chemical symbols; the position is the species index"""
    energy_scale: float = Field(gt=0, allow_inf_nan=False, strict=True)
    """unit of the network's energies [eV]"""
    reference_energies: dict[str, FiniteFloat]
    """[eV], one per element"""


class Potential(nn.Module):
    """``E_i = scale * network_i + sum_k term_k,i + reference_energy(species_i)``, summed in float64.

    Args:
        network: the trained architecture.
        terms: further architectures, already in eV.
        energy_scale: unit of the network's energies [eV].
        reference_energies: [eV], one per element of the network.
    """

    reference_energies: Tensor
    __jit_unused_properties__: ClassVar[list[str]] = ["n_parameters", "references"]

    def __init__(
        self,
        network: Architecture,
        terms: list[Architecture],
        energy_scale: float,
        reference_energies: dict[str, float],
    ) -> None:
        super().__init__()
        missing = [e for e in network.elements if e not in reference_energies]
        if missing:
            raise ConfigError(f"reference energies of {', '.join(missing)} are missing; give one for every element.")
        self.network = network
        self.terms = nn.ModuleList(terms)
        self.energy_scale = energy_scale
        self.elements = network.elements
        values = [reference_energies[e] for e in network.elements]
        self.register_buffer("reference_energies", torch.tensor(values, dtype=torch.float64), persistent=False)

    def forward(self, species: Tensor, bond_index: Tensor, bond_vector: Tensor, n_owned: int, halo: int) -> Tensor:
        """Return the energies (n_owned,) float64 [eV] of the owned atoms; arguments as of an architecture."""
        energy = self.energy_scale * self.network(species, bond_index, bond_vector, n_owned, halo).double()
        for term in self.terms:
            energy = energy + term(species, bond_index, bond_vector, n_owned, halo).double()
        return energy + self.reference_energies.index_select(0, species[:n_owned])

    def _apply(self, fn: Callable[..., Tensor], recurse: bool = True) -> "Potential":
        """Move or convert everything; the reference energies move along but stay float64."""
        exact = self.reference_energies
        super()._apply(fn, recurse)
        self.reference_energies = exact.to(self.reference_energies.device)
        return self

    def summands(self) -> list[Architecture]:
        """Return the network and the further terms."""
        return [self.network, *self.terms]

    def cutoff(self) -> float:
        """Return the length [A] of the longest bond that has to be listed."""
        return max(a.config.cutoff for a in self.summands())

    def receptive_field(self) -> float:
        """Return the distance [A] up to which an atom's energy depends on others."""
        return max(a.config.receptive_field for a in self.summands())

    def exchange_widths(self) -> list[int]:
        """Return the numbers per atom in each exchange, in order."""
        return [w for a in self.summands() for w in a.exchange_widths()]

    def halo(self) -> HaloKind:
        """Return the strategy that all terms can run with on several ranks."""
        kinds = {a.halo() for a in self.summands()}
        return "wide" if "wide" in kinds else "exchange" if "exchange" in kinds else "local"

    def adapt(self, statistics: ModelStatistics) -> None:
        """Let all summands take over what their settings left to the training data."""
        for summand in self.summands():
            summand.adapt(statistics)

    def tied_parameters(self) -> list[list[nn.Parameter]]:
        """Return the groups of parameters that a weight-tied warm start makes one."""
        return self.network.tied_parameters()

    @property
    def n_parameters(self) -> int:
        """Number of trained numbers."""
        return sum(p.numel() for p in self.parameters())

    @property
    def references(self) -> list[str]:
        """Publications to cite."""
        return [r for a in self.summands() for r in a.references]

    def describe(self) -> dict[str, Any]:
        """Return what :func:`potential_from_description` needs to build this potential again."""
        return {
            "architecture": self.network.name,
            "settings": self.network.config.model_dump(mode="json"),
            "add": {t.name: t.config.model_dump(mode="json") for t in self.summands()[1:]},
            "elements": self.elements,
            "energy_scale": self.energy_scale,
            "reference_energies": dict(zip(self.elements, self.reference_energies.tolist(), strict=True)),
        }


def build_potential(config: PotentialConfig, elements: list[str], statistics: ModelStatistics) -> Potential:
    """Return a potential with random weights that has taken over what it needs of its training data.

    Raises:
        ConfigError: an unknown architecture, preset or setting.
    """
    kind = architecture(config.architecture)
    settings = {name: checked.model_dump(mode="json") for name, checked in config.summands().items()}
    potential = potential_from_description(
        {
            "architecture": kind.name,
            "settings": settings.pop(kind.name),
            "add": settings,
            "elements": elements,
            "energy_scale": statistics.energy_scale if kind.trained else 1.0,
            "reference_energies": statistics.reference_energies,
        }
    )
    potential.adapt(statistics)
    return potential


def potential_from_description(description: dict[str, Any]) -> Potential:
    """Return the potential (random weights) that :meth:`Potential.describe` described.

    Raises:
        ConfigError: an entry is missing, unknown or wrong.
    """
    given = from_dict(description, PotentialDescription, where="description of the potential")
    elements = Elements(given.elements).symbols
    network = _build(given.architecture, given.settings, elements)
    terms = [_build(name, settings, elements) for name, settings in given.add.items()]
    return Potential(network, terms, given.energy_scale, given.reference_energies)


def _build(name: str, settings: dict[str, Any], elements: list[str]) -> Architecture:
    kind = architecture(name)
    return kind(from_dict(settings, kind.Config, where=f"settings of {name}"), elements)


def _with_preset(kind: type[Architecture], config: PotentialConfig) -> dict[str, Any]:
    if config.preset is None:
        return config.settings
    if config.preset not in kind.presets:
        raise ConfigError(unknown(f"preset of {kind.name}", config.preset, kind.presets))
    return {**kind.presets[config.preset], **config.settings}
