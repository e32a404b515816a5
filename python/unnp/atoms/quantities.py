"""The quantities that structures are labelled with and potentials predict, in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unnp.units import GPA_PER_EV_PER_A3


@dataclass(frozen=True)
class Quantity:
    """What is labelled, learnt and measured.

    Attributes:
        name: of the label in ``Structure``, ``Labels`` and ``Prediction``.
        per: what has one: each atom, or each structure.
        shape: of the value of one atom or structure.
        unit: of the stored values.
        extensive: whether it grows with the number of atoms, so that errors are those per atom.
        needs_volume: whether it exists only in structures that are periodic in all three directions.
        shown: unit of parity plots, and their values in stored units.
        errors_in: unit of error tables, and the same.
    """

    name: str
    per: Literal["atom", "structure"]
    shape: tuple[int, ...]
    unit: str
    extensive: bool = False
    needs_volume: bool = False
    shown: tuple[str, float] = ("", 1.0)
    errors_in: tuple[str, float] = ("", 1.0)

    @property
    def per_atom(self) -> bool:
        """Whether each atom has one."""
        return self.per == "atom"


_ALL = (
    Quantity("energy", "structure", (), "eV", extensive=True, shown=("eV/atom", 1.0), errors_in=("meV/atom", 1000.0)),
    Quantity("forces", "atom", (3,), "eV/A", shown=("eV/A", 1.0), errors_in=("eV/A", 1.0)),
    Quantity(
        "stress",
        "structure",
        (3, 3),
        "eV/A^3",
        needs_volume=True,
        shown=("GPa", GPA_PER_EV_PER_A3),
        errors_in=("GPa", GPA_PER_EV_PER_A3),
    ),
)

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in _ALL}
"""All quantities by name, in the order of tables and files."""
