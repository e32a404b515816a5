"""Crystals that ASE builds from a chemical symbol, the name of a lattice and its constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk

from unnp.errors import ConfigError, in_one_line

LATTICES = (
    *("sc", "fcc", "bcc", "bct", "hcp", "rhombohedral", "orthorhombic", "diamond"),
    *("zincblende", "rocksalt", "cesiumchloride", "fluorite", "wurtzite"),
)
"""What ASE builds; those of the second line are of compounds."""
CUBIC: dict[str, Any] = {"cubic": True}
ORTHORHOMBIC: dict[str, Any] = {"orthorhombic": True}
PRIMITIVE: dict[str, Any] = {}
_REFUSALS = (ValueError, RuntimeError, KeyError, NotImplementedError, TypeError, AssertionError)
"""ASE asserts that a cell is cubic where the lattice is none, and compares with None where a constant is missing."""
_MISSING = "a constant of that lattice is missing"


def build_crystal(
    element: str,
    lattice: str | None,
    a: float | None,
    c: float | None,
    *,
    shapes: Sequence[dict[str, Any]] = (CUBIC, ORTHORHOMBIC, PRIMITIVE),
    where: str = "structure",
    own: str = "file",
) -> Atoms:
    """Return the crystal in the first of these cells that it has.

    Args:
        element, lattice, a, c: as in ``StructureConfig``.
        shapes: cells to try, of those above.
        where: the key of the configuration that holds these settings, for the message.
        own: the key beside them under which a file is given, for the message.

    Raises:
        ConfigError: there is no such crystal.
    """
    for shape in shapes:
        try:
            atoms = bulk(element, lattice, a=a, c=c, **shape)
        except _REFUSALS as error:
            reason = _reason(error)
        else:
            if atoms.numbers.all() and np.isfinite(atoms.cell.array).all() and atoms.get_volume() > 0:
                return atoms
            reason = f"'{in_one_line(element)}' is no element" if not atoms.numbers.all() else _MISSING
    raise ConfigError(
        f"{where}: cannot build '{in_one_line(element)}' as {in_one_line(lattice or 'its own lattice')}: {reason}. "
        f"Give another `lattice` ({', '.join(LATTICES)}) with `a`, and `c` where it has one, or `{own}`, a structure file, "
        "instead of `element`."
    )


def _reason(error: Exception) -> str:
    if isinstance(error, TypeError | AssertionError) or not str(error):
        return _MISSING
    return in_one_line(str(error)).rstrip(".")
