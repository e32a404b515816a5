"""A potential from its file, as an ASE calculator: an exported model, or the calculator file of ``unnp data label``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ase.calculators.calculator import Calculator
from ase.calculators.mixing import SumCalculator

from unnp.adapters.ase import UnnpCalculator
from unnp.adapters.dispersion import HEAVIEST, D3Calculator, D3Config
from unnp.adapters.labeller import LabellerCalculator
from unnp.atoms.elements import atomic_number
from unnp.config.base import read_yaml
from unnp.data.labellers import check_settings
from unnp.errors import ConfigError, in_one_line

CALCULATOR_SUFFIXES = (".yaml", ".yml")


def open_calculator(
    path: Path, head: str | None = None, device: str = "auto", d3: D3Config | None = None, dtype: str = "float64"
) -> Calculator:
    """Return an ASE calculator on an exported model, or, for a YAML file, on what that describes.

    Args:
        path: model, or calculator file with ``kind`` and settings.
        head: level of theory of a model; None: its first.
        device: where it runs: ``auto`` (what a calculator file says), ``cpu``, ``cuda`` or ``cuda:N``.
        d3: dispersion that is added; None: none.
        dtype: number type of a model: ``model``, ``float32`` or ``float64``.

    Raises:
        ConfigError: wrong settings, a head for a file that has none, a device for a calculator that has no choice; or the
            package of D3 is missing.
        ModelError: the file is no exported model, or has no such head.
    """
    if d3 is not None:
        dispersion = D3Calculator(d3)  # first, as its package may be missing
        parts = [open_calculator(path, head, device, dtype=dtype), dispersion]
        return cast(Calculator, SumCalculator(parts))  # a class of ASE beside its Calculator, not below
    if is_calculator_file(path, head):
        return LabellerCalculator(_on_device(read_yaml(path), path, device), path.parent)
    return UnnpCalculator(path, device, dtype=dtype, head=head)


def open_beside(path: Path, head: str | None, device: str, d3: D3Config | None) -> Calculator:
    """Return what ``open_calculator`` does, of one potential of several: the device is for those that have a choice."""
    return open_calculator(path, head, device if takes_device(path) else "auto", d3)


def is_calculator_file(path: Path, head: str | None) -> bool:
    """Tell whether a file is a calculator file, not a model; raise ConfigError where a head is asked of one."""
    if path.suffix not in CALCULATOR_SUFFIXES:
        return False
    if head is not None:
        raise ConfigError(f"head '{in_one_line(head)}': {path} is a calculator file; only a model has heads.")
    return True


def takes_device(path: Path) -> bool:
    """Tell whether a potential runs where it is told to: a model, or a calculator file of a kind with ``device``."""
    return path.suffix not in CALCULATOR_SUFFIXES or _has_device(read_yaml(path))


def check_device(path: Path, device: str) -> None:
    """Raise ConfigError where a GPU is asked of a calculator file whose kind has none."""
    if device not in ("auto", "cpu") and not takes_device(path):
        raise ConfigError(
            f"device '{in_one_line(device)}': {path} is a calculator of a kind that runs on the CPU alone; leave the device "
            "out."
        )


def _on_device(settings: dict[str, Any], path: Path, device: str) -> dict[str, Any]:
    """Return the settings of a calculator file with a device in the place of its own, where it has one."""
    if device == "auto":
        return settings
    check_device(path, device)
    return {**settings, "device": device} if _has_device(settings) else settings


def _has_device(settings: Mapping[str, Any]) -> bool:
    return "device" in check_settings(settings)[0].Config.model_fields


def known_elements(calculator: Calculator) -> list[str]:
    """Return the chemical symbols that a calculator says it knows; empty where it does not say."""
    if isinstance(calculator, SumCalculator):
        own = known_elements(calculator.mixer.calcs[0])
        return [symbol for symbol in own if atomic_number(symbol) <= HEAVIEST]
    if isinstance(calculator, UnnpCalculator):
        return calculator.potential.elements.symbols
    return calculator.elements if isinstance(calculator, LabellerCalculator) else []


def names_of(potentials: Sequence[tuple[Path, str | None, D3Config | None]]) -> list[str]:
    """Return names for people of files with their heads and D3; the whole path where two would have one name."""
    stems = [" ".join([path.stem, *([head] if head else []), *(["D3"] if d3 else [])]) for path, head, d3 in potentials]
    return [stem if stems.count(stem) == 1 else str(path) for stem, (path, *_) in zip(stems, potentials, strict=True)]
