"""The registry behind architectures, output heads, terms of the loss, labellers and readers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import Generic, TypeVar

from unnp.errors import ConfigError, unknown

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Registry(Generic[T]):
    """Things of one sort by name: those of a folder of this package, and those of an entry-point group of other packages.

    A thing registers itself when its module is imported. Modules of other packages are imported when the thing is asked for,
    by the name of their entry point, which has to be the name of the thing: one that is broken is said for that one and
    disturbs no other.

    Args:
        sort: what they are, for messages: "architecture".
        package: the folder.
        group: the entry-point group.
        name_of: name of the only thing in a module of the folder, by the name of the module: the module is then imported when
            the thing is asked for; None: all modules of the folder are imported at the first question.
    """

    def __init__(self, sort: str, package: str, group: str, name_of: Callable[[str], str] | None = None) -> None:
        self.sort, self.package, self.group = sort, package, group
        self.entries: dict[str, T] = {}
        self._name_of = name_of
        self._modules: dict[str, str] = {}
        self._said: set[str] = set()

    def add(self, name: str, entry: T, module: str) -> None:
        """Make a thing known.

        Args:
            name: its name.
            entry: the thing.
            module: module that defines it; a module may register its thing again, when it is imported again.

        Raises:
            ConfigError: another module has registered this name.
        """
        if name in self.entries and self._modules.get(name) != module:
            raise ConfigError(f"{self.sort} '{name}' is registered twice.")
        self.entries[name], self._modules[name] = entry, module

    def get(self, name: str) -> T:
        """Return a thing by name; raise ConfigError where there is none of this name, or it cannot be imported."""
        own = self._own()
        if name in self.entries:
            return self.entries[name]
        if name in own:
            self._import(name, "unnp", lambda: import_module(f"{self.package}.{own[name]}"), "install what it needs.")
        elif name in (outside := self._outside()):
            entry = outside[name]
            self._import(name, entry.value, entry.load, "upgrade or uninstall its package.")
        else:
            raise ConfigError(unknown(self.sort, name, self.names()))
        return self.entries[name]

    def names(self) -> list[str]:
        """Return all names, also of things that cannot be imported."""
        return sorted({*self._own(), *self._outside(), *self.entries})

    def all(self) -> dict[str, T]:
        """Return all things by name that can be imported; of the others it is logged, once, why not."""
        missing = self.unavailable()
        for name in missing.keys() - self._said:
            logger.warning("%s", missing[name])
            self._said.add(name)
        return {name: self.entries[name] for name in self.names() if name not in missing}

    def unavailable(self) -> dict[str, str]:
        """Return why things cannot be imported, by name."""
        reasons = {}
        for name in self.names():
            try:
                self.get(name)
            except ConfigError as error:
                reasons[name] = str(error)
        return reasons

    def _own(self) -> dict[str, str]:
        """Return the modules of the folder by the name of their thing; none are left where all of them are imported at once."""
        modules = [module.name for module in iter_modules(import_module(self.package).__path__)]
        if self._name_of is not None:
            return {self._name_of(module): module for module in modules}
        for module in modules:
            import_module(f"{self.package}.{module}")
        return {}

    def _outside(self) -> dict[str, EntryPoint]:
        return {entry.name: entry for entry in entry_points(group=self.group)}

    def _import(self, name: str, source: str, load: Callable[[], object], advice: str) -> None:
        what = f"the {self.sort} '{name}' of {source}"
        try:
            load()
        except Exception as error:  # whatever another package raises, its user has to know which one it is
            raise ConfigError(f"{what} cannot be imported ({error!r}); {advice}") from error
        if name not in self.entries:
            raise ConfigError(f"{what} does not register itself by this name; {advice}")
