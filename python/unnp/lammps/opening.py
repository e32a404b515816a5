"""A potential from its file, as LAMMPS runs it: an exported model, or a calculator file of ``unnp data label``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from unnp.adapters.dispersion import D3Config
from unnp.adapters.opening import is_calculator_file
from unnp.config.base import read_yaml
from unnp.data.labellers import check_settings
from unnp.data.labellers.kim import KimConfig
from unnp.data.labellers.lammps_simulation import PairStyle
from unnp.errors import ConfigError
from unnp.exported.archive import read_manifest
from unnp.kim.eam import eam_table
from unnp.kim.models import find_model
from unnp.lammps.system_config import InteractionConfig


def open_interaction(path: Path, head: str | None = None, d3: D3Config | None = None) -> InteractionConfig:
    """Return what a LAMMPS deck says of a potential; relative paths in it begin at the folder of the file.

    Args:
        path: model, which then runs in float64, or calculator file.
        head: level of theory of a model; None: its first.
        d3: dispersion on top of a model; None: none.

    Raises:
        ConfigError: wrong settings, a head or D3 for a file that has none, or a calculator that LAMMPS does not have.
        ModelError: the file is no exported model, or has no such head.
    """
    if not is_calculator_file(path, head):
        read_manifest(path).head(head)
        return InteractionConfig(model=path.resolve(), head=head, dtype="float64", d3=d3)
    if d3 is not None:
        raise ConfigError(
            f"d3: in LAMMPS it goes on top of a model, and {path} is a calculator file. Take another optimiser, or write "
            "`pair_style: hybrid/overlay ... dispersion/d3 ...` into the file."
        )
    labeller, settings = check_settings(read_yaml(path))
    if labeller.kind not in _KINDS:
        raise ConfigError(
            f"{path}: LAMMPS cannot run a calculator of kind '{labeller.kind}'; it runs models and the kinds "
            f"{' and '.join(_KINDS)}. Take another optimiser, or another potential."
        )
    return _KINDS[labeller.kind](settings, path)


def _of_pair_style(settings: PairStyle, path: Path) -> InteractionConfig:
    if settings.units != "metal":
        raise ConfigError(
            f"{path}: the pair style has the units '{settings.units}', but decks are written in 'metal'. Take another "
            "optimiser, or give its coefficients in eV and A."
        )
    return InteractionConfig(**settings.model_dump(exclude={"units"}))


def _of_kim(settings: KimConfig, path: Path) -> InteractionConfig:
    if settings.through == "kimpy":
        raise ConfigError(f"{path}: `through: kimpy` is not LAMMPS. Take another optimiser, or leave `through` out.")
    eam_table(find_model(settings.model))  # says where it has no tables
    return InteractionConfig(kim=settings.model)


_KINDS: dict[str, Callable[[Any, Path], InteractionConfig]] = {"lammps": _of_pair_style, "kim": _of_kim}
"""Calculators that LAMMPS can run, by kind."""
