"""One atomic structure with whatever labels it carries."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

LARGEST_LABEL = 1e12
"""No energy [eV], force [eV/A] or stress [eV/A^3] is larger: a number beyond it is damage."""


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

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def volume(self) -> float:
        """Cell volume [A^3]; NaN where the structure is not periodic in all three directions."""
        return float(abs(np.linalg.det(self.cell))) if bool(np.all(self.pbc)) else float("nan")

    @property
    def has_forces(self) -> np.ndarray:
        """(n_atoms,) bool, whether an atom has forces that count: a label, and a weight."""
        if self.forces is None:
            return np.zeros(len(self), dtype=bool)
        present: np.ndarray = ~np.isnan(self.forces).any(axis=1)
        return present if self.forces_weight is None else present & (self.forces_weight > 0)

    def to_atoms(self) -> Atoms:
        """Return the ASE Atoms without labels."""
        return Atoms(numbers=self.numbers, positions=self.positions, cell=self.cell, pbc=self.pbc)

    @classmethod
    def from_atoms(cls, atoms: Atoms) -> Structure:
        """Return the unlabelled structure of ASE Atoms."""
        return cls(atoms.numbers.copy(), atoms.positions.copy(), np.asarray(atoms.cell).copy(), atoms.pbc.copy())
