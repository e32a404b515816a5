"""Architectures, one file each, found through a registry."""

from unnp.models.base import Architecture, ArchitectureConfig, ModelStatistics, architecture, architectures, register
from unnp.models.potential import Potential, PotentialConfig, build_potential, potential_from_description

__all__ = [
    "Architecture",
    "ArchitectureConfig",
    "ModelStatistics",
    "Potential",
    "PotentialConfig",
    "architecture",
    "architectures",
    "build_potential",
    "potential_from_description",
    "register",
]
