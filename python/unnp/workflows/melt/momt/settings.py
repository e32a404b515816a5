"""Settings of `unnp sample momt` for the melting point of a crystal in a small cell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unnp.config import load_yaml
from unnp.errors import ConfigError
from unnp.lammps.system import build_structure
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.momt.config import MomtConfig

SMALLEST, LARGEST = 30, 130
"""Atoms of the cells that are taken by default: smaller ones are no liquid, larger ones melt and freeze seldom."""
RANGE = (0.7, 1.5)
"""Lowest and highest temperature of the ensemble, as fractions of the guess."""
REFERENCE = 1.05
"""T0 as a fraction of the guess."""
ROUNDING = 10
ADAPT, PRODUCTION = (6.0, 24.0), (18.0, 54.0)
"""Shortest and longest time per atom of the stages, of all walkers together [ps]: passages become rare in larger cells."""
LEAST_TIME = 500.0
"""Shortest time that a stage may have, all walkers together [ps]."""
KEPT = ("temperatures", "temperature", "walkers")
"""Settings that are taken from a run that is there: another guess or other ranks do not make it another run."""


def cells_of(config: MeltConfig, base: Path) -> list[int]:
    """Return the cells for a run each, from small to large, as copies of the structure along each axis.

    Raises:
        ConfigError, DataError: the structure cannot be built; a cell has too few atoms.
    """
    n_unit = len(build_structure(config.structure, base))
    if config.momt.cells is not None:
        small = [n for n in config.momt.cells if n_unit * n**3 < SMALLEST]
        if small or not config.momt.cells:
            raise ConfigError(
                f"momt.cells: {config.momt.cells}, with {n_unit} atoms in the structure; a cell n holds n^3 times as many, and "
                f"must hold {SMALLEST} at least to have a liquid."
            )
        return sorted(set(config.momt.cells))
    fitting = [n for n in range(1, 6) if SMALLEST <= n_unit * n**3 <= LARGEST]
    return fitting or [next(n for n in range(1, 6) if n_unit * n**3 >= SMALLEST)]


def momt_settings(config: MeltConfig, n_atoms: int, cell: int, guess: float, folder: Path) -> dict[str, Any]:
    """Return the configuration of `unnp sample momt`: what follows from this run, and ``momt.settings`` on top.

    Args:
        config: configuration for the whole run.
        n_atoms: number of atoms in the cell.
        cell: copies of the structure along each axis.
        guess: guess at the melting point [K].
        folder: the MOMT run's folder; where a run is there, its ensemble is kept.
    """
    shared = config.model_dump(
        mode="json", include={"potential", "pressure", "timestep", "seed", "threads", "device", "launcher", "lmp"}
    )
    structure = config.structure.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    settings = {
        **shared,
        "structure": {**structure, "repeat": [cell * n for n in config.structure.repeat]},
        "temperatures": [_rounded(factor * guess) for factor in RANGE],
        "temperature": _rounded(REFERENCE * guess),
        "walkers": config.ranks,
        "frames": None,
    }
    settings |= _kept(folder / "momt.yaml")
    asked = merged(settings, config.momt.settings)
    stages = {
        name: {"min": max(LEAST_TIME, low * n_atoms) / asked["walkers"], "max": max(3 * LEAST_TIME, high * n_atoms)}
        for name, (low, high) in (("adapt", ADAPT), ("production", PRODUCTION))
    }
    return merged({**settings, "stages": {**stages, "chunk": 100.0}}, config.momt.settings)


def merged(settings: Mapping[str, Any], on_top: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with others on top; tables are merged, everything else is replaced."""
    both = {
        key: merged(settings[key], value)
        for key, value in on_top.items()
        if isinstance(value, Mapping) and isinstance(settings.get(key), Mapping)
    }
    return {**settings, **on_top, **both}


def _kept(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    return load_yaml(path, MomtConfig).model_dump(mode="json", include=set(KEPT))


def _rounded(kelvin: float) -> float:
    return float(max(1, round(kelvin / ROUNDING)) * ROUNDING)
