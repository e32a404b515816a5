"""The potentials of a configuration: one file for all structures, or one for each substance."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from ase.calculators.calculator import Calculator
from pydantic import Field, model_validator

from unnp.adapters.dispersion import D3Config
from unnp.adapters.opening import is_calculator_file, open_beside
from unnp.atoms.outputs import Name
from unnp.config import Config
from unnp.config.base import read_yaml
from unnp.data.labellers import file_checksums
from unnp.data.store_checks import file_checksum
from unnp.errors import ConfigError


class PotentialFile(Config):
    """A potential in a file, or one of several files, for each substance its own."""

    file: Path | None = None
    """exported model, or calculator file of `unnp data label`; relative to the configuration file"""
    files: dict[str, Path] | None = Field(default=None, min_length=1)
    """instead of `file`: such files by reduced formula, `{Cu: cu.pt, Si: si.pt}`, each for one substance"""
    head: Name | None = None
    """level of theory of a model; default: its first"""
    d3: D3Config | None = None
    """Grimme's dispersion correction, added to it (extra `d3`); `{}` takes its defaults"""

    @model_validator(mode="after")
    def _one_way(self) -> PotentialFile:
        if (self.file is None) == (self.files is None):
            raise ValueError("give either `file`, or `files` by reduced formula")
        return self


def open_potential(
    name: str, given: PotentialFile, formulas: Iterable[str], base: Path, device: str
) -> dict[str, Calculator]:
    """Return the calculator for each reduced formula; formulas that it has no file for are missing.

    Args:
        name: of the potential.
        given: its file or files.
        formulas: of the structures.
        base: where relative paths begin.
        device: where those run that have a choice: models, universal potentials.

    Raises:
        ConfigError: it has no file for any of the structures, or wrong settings in one; or the package of D3 is missing.
        ModelError: a file is no exported model.
    """
    if given.file is not None:
        return dict.fromkeys(formulas, _opened(base / given.file, given, device))
    files = given.files or {}
    asked = list(dict.fromkeys(formulas))
    found = {key: _opened(base / files[key], given, device) for key in asked if key in files}
    if not found:
        raise ConfigError(
            f"potentials: {name} has files for {', '.join(files)}; it is asked for {', '.join(asked)}. Name a file for one."
        )
    return found


def _opened(path: Path, given: PotentialFile, device: str) -> Calculator:
    return open_beside(path, given.head, device, given.d3)


def identity_of(given: PotentialFile, base: Path) -> str:
    """Return what tells a potential from others: checksums of its files, its head and its D3."""
    if given.file is not None:
        return identity(base / given.file, given.head, given.d3)
    parts = [
        f"{key} {identity(base / path, given.head, given.d3)}" for key, path in sorted((given.files or {}).items())
    ]
    return sha256("\n".join(parts).encode()).hexdigest()


def identity(path: Path, head: str | None, d3: D3Config | None = None) -> str:
    """Return what tells a potential from others: checksums of its file and of those that it names, its head and its D3."""
    named = file_checksums(read_yaml(path), path.parent) if is_calculator_file(path, head) else []
    words = [file_checksum(path), str(head), *([] if d3 is None else [d3.model_dump_json()]), *named]
    return sha256(" ".join(words).encode()).hexdigest()
