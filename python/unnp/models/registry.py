"""Finding architectures by name; only the one that is asked for is imported."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import TypeVar

from unnp.errors import ConfigError, unknown
from unnp.models import architectures as package
from unnp.models.base import Architecture

A = TypeVar("A", bound=type[Architecture])
GROUP = "unnp.models"
_REGISTRY: dict[str, type[Architecture]] = {}


def register(name: str) -> Callable[[A], A]:
    """Make an architecture known under a name: ``@register("teanet")``."""

    def add(architecture: A) -> A:
        if name in _REGISTRY and _REGISTRY[name].__module__ != architecture.__module__:
            raise ConfigError(f"architecture '{name}' is registered twice.")
        architecture.name = name
        _REGISTRY[name] = architecture
        return architecture

    return add


def architecture(name: str) -> type[Architecture]:
    """Return the architecture class of a name.

    Raises:
        ConfigError: there is none of this name, or it cannot be imported.
    """
    if name not in _REGISTRY:
        if name in _own():
            module = f"{package.__name__}.{_own()[name]}"
            _import(name, "unnp", lambda: import_module(module), "install what it needs.")
        elif name in _outside():
            entry = _outside()[name]
            _import(name, entry.value, entry.load, "upgrade or uninstall its package.")
        else:
            raise ConfigError(unknown("architecture", name, names()))
    return _REGISTRY[name]


def names() -> list[str]:
    """Return the names of all architectures: from this package, from the entry-point group, and registered ones."""
    return sorted({*_own(), *_outside(), *_REGISTRY})


def architectures() -> dict[str, type[Architecture]]:
    """Return all architectures by name that can be imported; ``unavailable`` says what of the others."""
    missing = unavailable()
    return {name: architecture(name) for name in names() if name not in missing}


def unavailable() -> dict[str, str]:
    """Return why architectures cannot be imported, by name."""
    reasons = {}
    for name in names():
        try:
            architecture(name)
        except ConfigError as error:
            reasons[name] = str(error)
    return reasons


def _own() -> dict[str, str]:
    """Return the modules of this package by name of their architecture: gemnet_t is ``gemnet-t``, dimenet_pp ``dimenet++``."""
    modules = [module.name for module in iter_modules(package.__path__)]
    return {module.replace("_pp", "++").replace("_", "-"): module for module in modules}


def _outside() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _import(name: str, source: str, load: Callable[[], object], advice: str) -> None:
    try:
        load()
    except Exception as error:  # whatever another package raises, its user has to know which one it is
        raise ConfigError(f"the architecture '{name}' of {source} cannot be imported ({error!r}); {advice}") from error
    if name not in _REGISTRY:
        raise ConfigError(f"the architecture '{name}' of {source} does not register itself by this name; {advice}")
