"""Architectures, one file each, found through a registry."""

from unnp.models.base import (
    Architecture,
    ArchitectureConfig,
    Representation,
    Term,
    TrainingData,
    architecture,
    architectures,
    register,
)
from unnp.models.heads import Head
from unnp.models.potential import Potential, PotentialConfig, build_potential, potential_from_description

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
]
