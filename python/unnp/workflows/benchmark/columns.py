"""The errors that a benchmark reports: those of all quantities, and those of the force norms."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from unnp.atoms.quantities import QUANTITIES, STANDARD

FORCE_NORMS = "force_norms"


def _columns() -> Iterator[tuple[str, tuple[str, str]]]:
    for name, quantity in QUANTITIES.items():
        unit = quantity.errors_in[0]
        yield name, ("force components" if name == "forces" else quantity.words, unit)
        if name == "forces":
            yield FORCE_NORMS, ("force norms", unit)


COLUMNS: dict[str, tuple[str, str]] = dict(_columns())
"""Title and unit of each mean absolute error, in the order of the table."""


def shown(found: Collection[str]) -> list[str]:
    """Return the columns of a table: energy, forces and stress, and others in which there are errors."""
    return [name for name in COLUMNS if name in (*STANDARD, FORCE_NORMS) or name in found]
