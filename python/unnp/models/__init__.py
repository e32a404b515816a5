"""Architectures, one file each, found through a registry."""

from unnp.models.base import (
    Architecture,
    ArchitectureConfig,
    Representation,
    Term,
    TrainingData,
)
from unnp.models.build import PotentialConfig, build_potential, potential_from_description
from unnp.models.heads import Head
from unnp.models.potential import Potential
from unnp.models.registry import architecture, architectures, register, unavailable

__all__ = [
    "Architecture",
    "ArchitectureConfig",
    "Head",
    "Potential",
    "PotentialConfig",
    "Representation",
    "Term",
    "TrainingData",
    "architecture",
    "architectures",
    "build_potential",
    "potential_from_description",
    "register",
    "unavailable",
]
