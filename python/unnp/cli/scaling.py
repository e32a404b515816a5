"""The factor on lengths of ``unnp data translate``, from whatever says it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

DIGITS = 5
"""Decimals of a factor from relaxed crystals: a run that is begun again has exactly the same one."""


def scale_factor(
    elements: Mapping[str, str],
    scale: float | None,
    lattice_constants: tuple[float, float] | None,
    volumes: tuple[str, str] | None,
    lattices: tuple[str, str] | None,
) -> float:
    """Return the factor on lengths; raise ConfigError where it is not said in exactly one way."""
    from unnp.data.translation import factor_of_volumes
    from unnp.errors import ConfigError

    if sum(given is not None for given in (scale, lattice_constants, volumes)) != 1:
        raise ConfigError("say how lengths change, in one way: --scale, --lattice-constants or --volumes.")
    if lattices is not None and not any(Path(text).is_file() for text in volumes or ()):
        raise ConfigError("--lattices says which crystals of the potentials in --volumes are meant; give those.")
    if scale is not None:
        return scale
    if lattice_constants is not None:
        old, new = (_positive(str(value), "--lattice-constants") for value in lattice_constants)
        return new / old
    return round(factor_of_volumes(*_volumes(elements, volumes or ("", ""), lattices)), DIGITS)


def _volumes(
    elements: Mapping[str, str], volumes: tuple[str, str], lattices: tuple[str, str] | None
) -> tuple[float, float]:
    """Return volumes per atom [A^3], read, or measured on crystals of the one element that changes."""
    found = []
    for k, text in enumerate(volumes):
        if Path(text).is_file():
            found.append(_relaxed(Path(text), _that_changes(elements)[k], lattices and lattices[k]))
        else:
            found.append(_positive(text, "--volumes"))
    return found[0], found[1]


def _relaxed(path: Path, element: str, lattice: str | None) -> float:
    from unnp.adapters.opening import open_calculator
    from unnp.workflows.crystals.volumes import relaxed_volume

    volume = relaxed_volume(open_calculator(path), element, lattice)
    print(f"{path.stem}: {element} has {volume:.4f} A^3/atom")
    return volume


def _that_changes(elements: Mapping[str, str]) -> tuple[str, str]:
    from unnp.errors import ConfigError

    pairs = [(old, new) for old, new in elements.items() if old != new]
    if len(pairs) != 1:
        raise ConfigError(
            f"{len(pairs)} elements change, and a relaxed crystal is of one: give --scale, or numbers in --volumes."
        )
    return pairs[0]


def _positive(text: str, option: str) -> float:
    from math import isfinite

    from unnp.errors import ConfigError, in_one_line

    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not (isfinite(value) and value > 0):
        files = ", nor a potential's file" if option == "--volumes" else ""
        raise ConfigError(f"{option}: '{in_one_line(text)}' is no positive number{files}.")
    return value
