"""Finding architectures by name; only the one that is asked for is imported."""

from collections.abc import Callable
from typing import TypeVar

from unnp.models import architectures as package  # at once: the face gives its name to a function afterwards
from unnp.models.base import Architecture
from unnp.plugins.registry import Registry

A = TypeVar("A", bound=type[Architecture])


def _name_of(module: str) -> str:
    """Return the architecture of a module: gemnet_t is ``gemnet-t``, dimenet_pp ``dimenet++``."""
    return module.replace("_pp", "++").replace("_", "-")


REGISTRY: Registry[type[Architecture]] = Registry("architecture", package.__name__, "unnp.models", _name_of)


def register(name: str) -> Callable[[A], A]:
    """Make an architecture known under a name: ``@register("teanet")``."""

    def add(architecture: A) -> A:
        REGISTRY.add(name, architecture, architecture.__module__)
        architecture.name = name
        return architecture

    return add


def architecture(name: str) -> type[Architecture]:
    """Return the architecture class of a name.

    Raises:
        ConfigError: there is none of this name, or it cannot be imported.
    """
    return REGISTRY.get(name)


def names() -> list[str]:
    """Return the names of all architectures: those of this package, of the entry-point group, and registered ones."""
    return REGISTRY.names()


def architectures() -> dict[str, type[Architecture]]:
    """Return all architectures by name that can be imported; ``unavailable`` says what of the others."""
    missing = unavailable()
    return {name: architecture(name) for name in names() if name not in missing}


def unavailable() -> dict[str, str]:
    """Return why architectures cannot be imported, by name."""
    return REGISTRY.unavailable()
