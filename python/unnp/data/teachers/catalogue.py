"""The teachers there are, by name, and what is known of each without opening it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from unnp.data.teachers import packages
from unnp.errors import ConfigError, UnnpError, unknown

GROUP = "unnp.teachers"
_OF_FILE = "that of the data the weights were fitted to; unnp does not know it"


@dataclass(frozen=True)
class Weights:
    """Weights of a teacher.

    Attributes:
        name: what to call them.
        place: their name inside the package, or their path.
        theory: level of theory that they were fitted to.
        zero: where their energies are zero.
        checksum: SHA-256 of a file; empty for a name or a folder.
        from_file: whether the place is a path.
    """

    name: str
    place: str
    theory: str
    zero: str
    checksum: str = ""
    from_file: bool = False


@dataclass(frozen=True)
class Entry:
    """A teacher that can be opened.

    Attributes:
        name: its name, ``chgnet``.
        module: its file, as ``packages`` describes it.
    """

    name: str
    module: ModuleType

    @property
    def file(self) -> str:
        """Path of its file."""
        return str(self.module.__file__)

    def weights(self, model: str | None, folder: Path) -> Weights:
        """Return the weights that a setting names.

        Args:
            model: name inside the package or path; None: the default.
            folder: where relative paths begin.

        Raises:
            ConfigError: there is no default, no such name and no such file.
        """
        named: dict[str, tuple[str, str]] = self.module.WEIGHTS
        if model is None and not named:
            raise ConfigError(f"the package of {self.name} brings no weights; name a file of them as `model`.")
        chosen = next(iter(named)) if model is None else model
        if chosen in named:
            return Weights(chosen, chosen, *named[chosen])
        path = (folder / Path(chosen).expanduser()).absolute()
        if not path.exists():
            missing = f"There is no file or folder of weights {path}."
            raise ConfigError(f"{unknown(f'weights of {self.name}', chosen, named)} {missing}" if named else missing)
        return Weights(path.name, str(path), _OF_FILE, _OF_FILE, _checksum(path), from_file=True)


def find_teacher(name: str) -> Entry:
    """Return a teacher by name; raise ConfigError where there is none, or the module of another package is broken."""
    own = teachers_here()
    outside = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in own and name not in outside:
        raise ConfigError(unknown("teacher", name, [*own, *outside]))
    if name in own:
        return Entry(name, import_module(f"{packages.__name__}.{name}"))
    try:
        return Entry(name, outside[name].load())
    except Exception as error:  # whatever another package raises, its user has to know which one it is
        raise ConfigError(f"the teacher '{name}' of {outside[name].value} cannot be imported ({error!r}).") from error


def teachers_here() -> list[str]:
    """Return the names of the teachers of this package."""
    return [module.name for module in iter_modules(packages.__path__)]


def _checksum(path: Path) -> str:
    if path.is_dir():
        return ""
    if not path.is_file():  # a named pipe would wait for somebody to write
        raise ConfigError(f"{path} is neither a file nor a folder of weights.")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnnpError(f"cannot read {path}: {error.strerror}.") from None
