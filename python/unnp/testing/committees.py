"""What ASE and LAMMPS are compared with: potentials evaluated in memory, on structures that trip up parallel programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ase
import ase.build
import numpy as np
import torch

from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import Prediction, predict
from unnp.exported.export import dtype_of, export_model
from unnp.models import Potential
from unnp.testing.subject import Subject

MEANS = ("energy", "atomic_energy", "forces", "stress", "atomic_virial")
SHAPES = ("crystal", "cluster")


@dataclass(frozen=True)
class Committee:
    """Potentials that are exported as one, and compared with themselves.

    Attributes:
        name: name for the file, without blanks.
        potentials: the members.
    """

    name: str
    potentials: Sequence[Potential]

    @property
    def symbols(self) -> list[str]:
        """The elements."""
        return self.potentials[0].elements

    @property
    def single(self) -> bool:
        """Whether it computes in float32."""
        return dtype_of(self.potentials[0]) == torch.float32

    def tolerance(self, forces: np.ndarray) -> float:
        """Return what a force may be off [eV/A]: 1e-10 in float64, 1e-5 in float32, of the largest one or of 1 eV/A."""
        return (1e-5 if self.single else 1e-10) * max(1.0, float(np.abs(forces).max()))

    def relative(self) -> float:
        """Return what an energy may be off, relative to itself."""
        return 1e-6 if self.single else 1e-12

    def file(self, folder: Path) -> Path:
        """Return the exported file in a folder, written where it is not there yet."""
        path = folder / f"{self.name}.pt"
        if not path.exists():
            export_model(self.potentials, path, name=self.name)
        return path

    def predict(self, atoms: ase.Atoms) -> Prediction:
        """Return the mean of the members, evaluated as in training."""
        first = self.potentials[0]
        graph = Graph.of(Structure.from_atoms(atoms), Elements(first.elements), first.cutoff())
        graph = graph.to("cpu", dtype_of(first))
        parts = [predict(member, graph, atomic_virial=True) for member in self.potentials]
        means: dict[str, Any] = {name: torch.stack([getattr(part, name) for part in parts]).mean(0) for name in MEANS}
        return Prediction(**means)

    def structure(self, shape: str) -> ase.Atoms:
        """Return 108 disturbed atoms in a tilted box ("crystal"), or a few in a large one ("cluster")."""
        return self._crystal() if shape == "crystal" else self._cluster()

    def _crystal(self) -> ase.Atoms:
        a = 0.9 * self.potentials[0].cutoff()
        atoms = ase.build.bulk("Al", "fcc", a=a, cubic=True).repeat(3)
        atoms.set_cell(3 * a * np.array([[1.0, 0, 0], [0.2, 1.1, 0], [-0.15, 0.3, 0.95]]), scale_atoms=True)
        return self._mixed(atoms, 0.03 * a)

    def _cluster(self) -> ase.Atoms:
        """13 atoms and, far from them, a single one: most ranks have no bonds, or no atoms."""
        a = 0.9 * self.potentials[0].cutoff()
        atoms = self._mixed(ase.build.bulk("Al", "fcc", a=a, cubic=True).repeat(2)[:13], 0.03 * a)
        atoms.positions += a
        atoms.append(ase.Atom(self.symbols[0], [9 * a, 3 * a, 3 * a]))
        atoms.set_cell([10 * a, 4 * a, 4 * a])
        atoms.pbc = False
        return atoms

    def _mixed(self, atoms: ase.Atoms, noise: float) -> ase.Atoms:
        atoms.symbols = [self.symbols[k % len(self.symbols)] for k in range(len(atoms))]
        atoms.positions += np.random.default_rng(0).normal(0, noise, atoms.positions.shape)
        return atoms


def committee_of(subject: Subject, dtype: str) -> Committee:
    """Return the potential of a subject in a number type."""
    potential = subject.potential if dtype == "float64" else subject.build(dtype)
    return Committee(dtype, [potential])
