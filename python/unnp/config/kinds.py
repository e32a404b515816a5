"""Tables of settings that begin with ``kind``: which class of a registry they are for, and whether they fit it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, TypeVar

from unnp.config.base import from_dict
from unnp.errors import ConfigError
from unnp.plugins.registry import Registry


class Configured(Protocol):
    """A class that is chosen by ``kind`` and says in ``Config`` which settings it takes."""

    kind: ClassVar[str]
    Config: ClassVar[type[Any]]  # of Config; no class could narrow that, as attributes of a protocol are invariant


K = TypeVar("K", bound=Configured)


def registering(registry: Registry[type[K]]) -> Callable[[str], Callable[[type[K]], type[K]]]:
    """Return the decorator with which classes make themselves known: ``register = registering(REGISTRY)``."""

    def register(kind: str) -> Callable[[type[K]], type[K]]:
        def add(cls: type[K]) -> type[K]:
            registry.add(kind, cls, cls.__module__)
            cls.kind = kind
            return cls

        return add

    return register


def check_kind(registry: Registry[type[K]], settings: Mapping[str, Any], where: str) -> tuple[type[K], Any]:
    """Return the class that settings name by ``kind``, and its configuration.

    Args:
        registry: the classes by kind.
        settings: ``kind`` and what the class takes.
        where: key of the settings, for messages.

    Raises:
        ConfigError: there is no such kind, or its settings are wrong.
    """
    remaining = dict(settings)
    kind = remaining.pop("kind", None)
    if not isinstance(kind, str):
        raise ConfigError(f"{where}: give its kind, one of {', '.join(registry.names())}.")
    try:
        cls = registry.get(kind)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    return cls, from_dict(remaining, cls.Config, where=f"{where} ({kind})")
