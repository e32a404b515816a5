"""A potential from its file, as an ASE calculator: an exported model, or the calculator file of ``unnp data label``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase.calculators.calculator import Calculator

from unnp.adapters.ase import UnnpCalculator
from unnp.adapters.labeller import LabellerCalculator
from unnp.config.base import read_yaml
from unnp.errors import ConfigError, in_one_line

CALCULATOR_SUFFIXES = (".yaml", ".yml")


def open_calculator(path: Path, head: str | None = None, device: str = "auto") -> Calculator:
    """Return an ASE calculator on an exported model, in float64, or, for a YAML file, on what that describes.

    Args:
        path: model, or calculator file with ``kind`` and settings.
        head: level of theory of a model; None: its first.
        device: where a model runs: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        ConfigError: wrong settings, or a head for a file that has none.
        ModelError: the file is no exported model, or has no such head.
    """
    if is_calculator_file(path, head):
        return LabellerCalculator(read_yaml(path), path.parent)
    return UnnpCalculator(path, device, dtype="float64", head=head)


def is_calculator_file(path: Path, head: str | None) -> bool:
    """Tell whether a file is a calculator file, not a model; raise ConfigError where a head is asked of one."""
    if path.suffix not in CALCULATOR_SUFFIXES:
        return False
    if head is not None:
        raise ConfigError(f"head '{in_one_line(head)}': {path} is a calculator file; only a model has heads.")
    return True


def known_elements(calculator: Calculator) -> list[str]:
    """Return the chemical symbols that a calculator says it knows; empty where it does not say."""
    if isinstance(calculator, UnnpCalculator):
        return calculator.potential.elements.symbols
    return calculator.elements if isinstance(calculator, LabellerCalculator) else []


def names_of(potentials: Sequence[tuple[Path, str | None]]) -> list[str]:
    """Return names for people of files with their heads; the whole path where two would have one name."""
    stems = [" ".join([path.stem, *([head] if head else [])]) for path, head in potentials]
    return [stem if stems.count(stem) == 1 else str(path) for stem, (path, _) in zip(stems, potentials, strict=True)]
