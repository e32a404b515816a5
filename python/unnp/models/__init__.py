"""Architectures, one file each, found through a registry."""

from unnp.models.base import Architecture, architectures, build_architecture, register

__all__ = ["Architecture", "architectures", "build_architecture", "register"]
