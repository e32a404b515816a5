"""The quantities that structures are labelled with and potentials predict, in one table.

What reads, stores, computes, learns, measures, draws or writes labels goes through the rows of this table. A new label is a
row here. If the energy does not give it, an output head does, one file in ``unnp.models.output_heads``, or an architecture
among its ``further_outputs``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unnp.units import GPA_PER_EV_PER_A3


@dataclass(frozen=True)
class Quantity:
    """What is labelled, learnt and measured.

    Attributes:
        name: name of the label in ``Structure``, ``Labels`` and ``Prediction``, in stored data sets and in files.
        per: what has one: each atom, or each structure.
        shape: shape of the value of one atom or structure.
        unit: unit of the stored values.
        ase: name that ASE's calculators give it.
        short: its name at the head of a narrow column; empty: its name.
        symmetric: whether it is a symmetric tensor, which files may hold as six numbers.
        standard: whether files are searched for it unasked; the energy of every potential gives these.
        extensive: whether it grows with the number of atoms, so that errors are those per atom.
        needs_volume: whether it exists only in structures that are periodic in all three directions.
        weight: name of the factors that single atoms have in the loss; empty: there are none.
        origin: what gives it: the energy of a potential, a derivative of that, or an output beside it ("head").
        shown: unit of parity plots, and their values in stored units.
        errors_in: unit of error tables, and the same.
    """

    name: str
    per: Literal["atom", "structure"]
    shape: tuple[int, ...]
    unit: str
    ase: str
    short: str = ""
    symmetric: bool = False
    standard: bool = False
    extensive: bool = False
    needs_volume: bool = False
    weight: str = ""
    origin: Literal["energy", "derivative", "head"] = "head"
    shown: tuple[str, float] = ("", 1.0)
    errors_in: tuple[str, float] = ("", 1.0)

    @property
    def per_atom(self) -> bool:
        """Whether each atom has one."""
        return self.per == "atom"

    @property
    def title(self) -> str:
        """Its name at the head of a narrow column."""
        return self.short or self.words

    @property
    def words(self) -> str:
        """Its name in a sentence."""
        return self.name.replace("_", " ")


_ALL = (
    Quantity(
        "energy",
        "structure",
        (),
        "eV",
        "energy",
        short="E",
        standard=True,
        extensive=True,
        origin="energy",
        shown=("eV/atom", 1.0),
        errors_in=("meV/atom", 1000.0),
    ),
    Quantity(
        "forces",
        "atom",
        (3,),
        "eV/A",
        "forces",
        short="F",
        standard=True,
        weight="forces_weight",
        origin="derivative",
        shown=("eV/A", 1.0),
        errors_in=("eV/A", 1.0),
    ),
    Quantity(
        "stress",
        "structure",
        (3, 3),
        "eV/A^3",
        "stress",
        symmetric=True,
        standard=True,
        needs_volume=True,
        origin="derivative",
        shown=("GPa", GPA_PER_EV_PER_A3),
        errors_in=("GPa", GPA_PER_EV_PER_A3),
    ),
    Quantity(
        "atomic_energy",
        "atom",
        (),
        "eV",
        "energies",
        origin="energy",
        shown=("eV", 1.0),
        errors_in=("meV", 1000.0),
    ),
    Quantity("charges", "atom", (), "e", "charges", shown=("e", 1.0), errors_in=("e", 1.0)),
    Quantity("magnetic_moments", "atom", (), "mu_B", "magmoms", shown=("mu_B", 1.0), errors_in=("mu_B", 1.0)),
    Quantity("dipole", "structure", (3,), "e A", "dipole", shown=("e A", 1.0), errors_in=("e A", 1.0)),
)

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in _ALL}
"""All quantities by name, in the order of tables and files."""

STANDARD: tuple[str, ...] = tuple(name for name, quantity in QUANTITIES.items() if quantity.standard)
"""Names of the quantities that files are searched for unasked, and that every potential predicts."""

FURTHER: tuple[str, ...] = tuple(name for name in QUANTITIES if name not in STANDARD)
"""Names of all others."""
