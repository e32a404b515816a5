"""The potentials of a configuration: one file for all slabs, or one for each substance."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from ase.calculators.calculator import Calculator

from unnp.adapters.opening import open_calculator
from unnp.errors import ConfigError
from unnp.workflows.relaxation.kept import identity
from unnp.workflows.surfaces.config import PotentialFile


def open_potential(
    name: str, given: PotentialFile, formulas: Iterable[str], base: Path, device: str
) -> dict[str, Calculator]:
    """Return the calculator for each reduced formula; formulas that it has no file for are missing.

    Args:
        name: of the potential.
        given: its file or files.
        formulas: of the slabs.
        base: where relative paths begin.
        device: where models run.

    Raises:
        ConfigError: it has no file for any of the slabs, or wrong settings in one.
        ModelError: a file is no exported model.
    """
    if given.file is not None:
        calculator = open_calculator(base / given.file, given.head, device)
        return dict.fromkeys(formulas, calculator)
    files = given.files or {}
    asked = list(dict.fromkeys(formulas))
    found = {key: open_calculator(base / files[key], given.head, device) for key in asked if key in files}
    if not found:
        raise ConfigError(
            f"potentials: {name} has files for {', '.join(files)}; the slabs are of {', '.join(asked)}. Name a file for one."
        )
    return found


def identity_of(given: PotentialFile, base: Path) -> str:
    """Return what tells a potential from others: checksums of its files, and its head."""
    if given.file is not None:
        return identity(base / given.file, given.head)
    parts = [f"{key} {identity(base / path, given.head)}" for key, path in sorted((given.files or {}).items())]
    return sha256("\n".join(parts).encode()).hexdigest()
