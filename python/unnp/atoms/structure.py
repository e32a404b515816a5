"""One atomic structure with whatever labels it carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from ase import Atoms

from unnp.atoms.quantities import QUANTITIES, STANDARD, Quantity
from unnp.errors import DataError, unknown

LARGEST_LABEL = 1e12
"""No label is larger in its unit, as 1e12 eV of energy: a number beyond it is damage."""


@dataclass
class Structure:
    """An atomic structure; labels that are absent are None.

    Attributes:
        numbers: (n_atoms,) atomic numbers.
        positions: (n_atoms, 3) [A].
        cell: (3, 3) [A], rows are lattice vectors; zero rows along non-periodic directions are allowed.
        pbc: (3,) bool.
        energy: total energy [eV].
        forces: (n_atoms, 3) [eV/A]; NaN on atoms that have no label.
        forces_weight: (n_atoms,) factor on the forces of each atom in the loss, 0 where they do not count at all; None: 1.
        stress: (3, 3) [eV/A^3], (1/V) dE/d(strain), positive in tension.
        group: name of the subset it belongs to, for weights and error tables.
        further: other labels by name, as ``unnp.atoms.quantities`` lists them; NaN on atoms that have none.
        source: where it came from ("file.xyz frame 3"), for error messages.
    """

    numbers: np.ndarray
    positions: np.ndarray
    cell: np.ndarray = field(default_factory=lambda: np.zeros((3, 3)))
    pbc: np.ndarray = field(default_factory=lambda: np.zeros(3, dtype=bool))
    energy: float | None = None
    forces: np.ndarray | None = None
    stress: np.ndarray | None = None
    forces_weight: np.ndarray | None = None
    group: str = ""
    source: str = ""
    further: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def volume(self) -> float:
        """Cell volume [A^3]; NaN where the structure is not periodic in all three directions."""
        return float(abs(np.linalg.det(self.cell))) if bool(np.all(self.pbc)) else float("nan")

    def label(self, name: str) -> Any:
        """Return the label of a quantity: a number or an array, None where there is none."""
        return getattr(self, name) if name in STANDARD else self.further.get(name)

    def with_labels(self, labels: Mapping[str, Any]) -> Structure:
        """Return the structure with other labels, by the names of their quantities; None: without that label."""
        for name in labels.keys() - QUANTITIES.keys():
            raise DataError(unknown("label", name, QUANTITIES))
        standard = {name: value for name, value in labels.items() if name in STANDARD}
        further = {**self.further, **{name: value for name, value in labels.items() if name not in STANDARD}}
        return replace(self, **standard, further={name: v for name, v in further.items() if v is not None})

    def has_label(self, quantity: Quantity) -> np.ndarray:
        """Return whether each atom has a quantity of atoms that counts: a label, and a weight; (n_atoms,) bool."""
        label = self.label(quantity.name)
        if label is None:
            return np.zeros(len(self), dtype=bool)
        present: np.ndarray = ~np.isnan(label.reshape(len(self), -1)).any(axis=1)
        weight = getattr(self, quantity.weight) if quantity.weight else None
        return present if weight is None else present & (weight > 0)

    @property
    def has_forces(self) -> np.ndarray:
        """(n_atoms,) bool, whether an atom has forces that count."""
        return self.has_label(QUANTITIES["forces"])

    def to_atoms(self) -> Atoms:
        """Return the ASE Atoms without labels."""
        return Atoms(numbers=self.numbers, positions=self.positions, cell=self.cell, pbc=self.pbc)

    @classmethod
    def from_atoms(cls, atoms: Atoms) -> Structure:
        """Return the unlabelled structure of ASE Atoms."""
        return cls(atoms.numbers.copy(), atoms.positions.copy(), np.asarray(atoms.cell).copy(), atoms.pbc.copy())
