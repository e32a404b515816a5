"""From a configuration or a description to a potential."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, NonNegativeFloat, model_validator

from unnp.atoms.elements import Elements
from unnp.atoms.outputs import Cost
from unnp.config import Config, from_dict
from unnp.errors import ConfigError, unknown
from unnp.models.base import Architecture, ArchitectureConfig, Representation, Term, TrainingData
from unnp.models.heads import Head, HeadDescription
from unnp.models.potential import Potential
from unnp.models.registry import architecture
from unnp.nn.closest import MARGIN, shortest_distances


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
    outputs: list[str] = Field(default_factory=list)
    """trained outputs beside the energy, for instance `[charges]`; the loss needs a term for each"""
    closest: Literal["data"] | NonNegativeFloat = "data"
    """distance [A] below which the architecture sees two atoms no closer, and only further terms do; `data`: 0.95 of the
    shortest in the training data for each pair of elements; 0: none"""

    def summands(self) -> dict[str, ArchitectureConfig]:
        """Return the checked settings of the architecture and of the further terms by registry name.

        Raises:
            ConfigError: an unknown architecture, preset or setting, or an addition that is no term.
        """
        kind = architecture(self.architecture)
        summands = {kind.name: self._settings(kind, _with_preset(kind, self), f"settings ({kind.name})")}
        return summands | {name: self._settings(_term(name), given, f"add.{name}") for name, given in self.add.items()}

    def cutoff(self) -> float:
        """Return the length [A] of the longest bond that has to be listed; errors are those of ``summands``."""
        return max(settings.cutoff for settings in self.summands().values())

    def cost(self) -> Cost:
        """Return what time and memory grow with: triplets where a summand makes any; errors are those of ``summands``."""
        return "triplets" if "triplets" in [architecture(name).cost for name in self.summands()] else "bonds"

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
    heads: list[HeadDescription] = Field(min_length=1)
    """levels of theory"""
    outputs: list[str]
    """trained outputs beside the energy"""
    closest: list[list[NonNegativeFloat]]
    """distances [A] below which the architecture sees two atoms no closer, by species; empty: none"""

    @model_validator(mode="after")
    def _closest_has_all_pairs(self) -> "PotentialDescription":
        n = len(self.elements)
        if self.closest and (len(self.closest) != n or any(len(row) != n for row in self.closest)):
            raise ValueError(f"closest: needs {n} rows of {n} distances, one for each pair of elements")
        return self


def build_potential(
    config: PotentialConfig, elements: list[str], heads: Sequence[Head], data: TrainingData
) -> Potential:
    """Return a potential with random weights that has taken over what it needs of its training data.

    Raises:
        ConfigError: an unknown architecture, preset or setting, or heads that do not fit.
    """
    settings = {name: s.completed(data).model_dump(mode="json") for name, s in config.summands().items()}
    description = {
        "architecture": config.architecture,
        "settings": settings.pop(config.architecture),
        "add": settings,
        "elements": elements,
        "heads": [head.describe() for head in heads],
        "outputs": config.outputs,
        "closest": closest_distances(config, len(elements), data),
    }
    potential = potential_from_description(description)
    potential.adapt(data)
    return potential


def potential_from_description(description: dict[str, Any]) -> Potential:
    """Return the potential (random weights) that :meth:`Potential.describe` described.

    Raises:
        ConfigError: an entry is missing, unknown or wrong.
    """
    given = from_dict(description, PotentialDescription, where="description of the potential")
    elements = Elements(given.elements).symbols
    first = _build(given.architecture, given.settings, elements)
    others = [_build(name, settings, elements) for name, settings in given.add.items()]
    terms = [summand for summand in (first, *others) if isinstance(summand, Term)]
    heads = [head.head() for head in given.heads]
    representation = first if isinstance(first, Representation) else None
    return Potential(elements, representation, terms, heads, given.outputs, given.closest)


def closest_distances(config: PotentialConfig, n_elements: int, data: TrainingData) -> list[list[float]]:
    """Return the distances [A] that the settings ask for, (n_elements, n_elements); empty: none."""
    if config.closest == "data":
        found = [[MARGIN * d for d in row] for row in shortest_distances(data.graphs, n_elements)]
        return found if any(map(any, found)) else []
    return [[config.closest] * n_elements] * n_elements if config.closest else []


def _build(name: str, settings: dict[str, Any], elements: list[str]) -> Architecture:
    kind = architecture(name)
    return kind(from_dict(settings, kind.Config, where=f"settings of {name}"), elements)


def _term(name: str) -> type[Architecture]:
    kind = architecture(name)
    if not issubclass(kind, Term):
        raise ConfigError(f"potential.add: '{name}' is no further term; write `architecture: {name}` to train it.")
    return kind


def _with_preset(kind: type[Architecture], config: PotentialConfig) -> dict[str, Any]:
    if config.preset is None:
        return config.settings
    if config.preset not in kind.presets:
        raise ConfigError(unknown(f"preset of {kind.name}", config.preset, kind.presets))
    return {**kind.presets[config.preset], **config.settings}
