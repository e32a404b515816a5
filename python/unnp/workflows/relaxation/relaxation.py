"""One structure on its way to the nearest minimum of the energy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.filters import FrechetCellFilter
from ase.geometry import find_mic

from unnp.errors import ConfigError, ModelError
from unnp.lammps.structure_file import fixed_atoms
from unnp.units import GPA_PER_EV_PER_A3
from unnp.workflows.relaxation.config import RelaxationConfig
from unnp.workflows.relaxation.minimise import FAILURES, largest, minimise, reason


@dataclass
class Relaxation:
    """A structure, where it stands, and how it came there.

    Attributes:
        start: where it began.
        atoms: where it stands, without a calculator.
        energies: [eV] at the start and after each step.
        forces: the largest force at the same moments [eV/A], as ``MinimiserConfig.max_force`` counts it.
        at_rest: whether no force is above the limit.
        problem: why it ended before; empty: it did not.
        atomic_forces: (n_atoms, 3) [eV/A] where it stands, those on fixed atoms too; None: not known.
        stress: (3, 3) [eV/A^3] there; None: not known.
    """

    start: Atoms
    atoms: Atoms
    energies: list[float] = field(default_factory=list)
    forces: list[float] = field(default_factory=list)
    at_rest: bool = False
    problem: str = ""
    atomic_forces: np.ndarray | None = None
    stress: np.ndarray | None = None

    @classmethod
    def of(cls, start: Atoms, entry: Mapping[str, Any] | None = None) -> Relaxation:
        """Return a relaxation that begins, or stands where an ``entry`` says."""
        atoms = start.copy()
        if entry is None:
            return cls(start, atoms)
        atoms.set_cell(entry["cell"])
        atoms.set_positions(entry["positions"], apply_constraint=False)
        found = cls(start, atoms, list(entry["energies"]), list(entry["forces"]), bool(entry["at_rest"]))
        # a problem is not taken over: what has failed is tried again
        found.atomic_forces, found.stress = (_array(entry[name]) for name in ("atomic_forces", "stress"))
        return found

    def entry(self) -> dict[str, Any]:
        """Return where it stands and how it came there, as JSON."""
        return {
            "positions": self.atoms.positions.tolist(),
            "cell": self.atoms.cell.array.tolist(),
            "atomic_forces": None if self.atomic_forces is None else self.atomic_forces.tolist(),
            "stress": None if self.stress is None else self.stress.tolist(),
            **{name: getattr(self, name) for name in ("energies", "forces", "at_rest")},
        }

    @property
    def steps(self) -> int:
        """How many steps have been taken."""
        return max(0, len(self.energies) - 1)

    def is_over(self, settings: RelaxationConfig) -> bool:
        """Tell whether nothing is left to do."""
        return self.at_rest or (bool(self.energies) and self.steps >= settings.max_steps)

    def note(self) -> str:
        """Return what is to be said of where it stands; empty: it is at rest."""
        if self.problem or self.at_rest:
            return self.problem
        return f"no minimum after {self.steps} steps" if self.energies else "not begun"

    def numbers(self) -> dict[str, float]:
        """Return what is known, by name and unit."""
        if not self.energies:
            return {}
        n_atoms = len(self.atoms)
        numbers = {
            "steps": self.steps,
            "energy_eV": self.energies[-1],
            "energy_change_eV_per_atom": (self.energies[-1] - self.energies[0]) / n_atoms,
            "largest_force_eV_per_A": self.forces[-1],
            "largest_displacement_A": self._displacement(),
        }
        if self.atoms.pbc.all():
            numbers["volume_change_percent"] = 100 * (self.atoms.get_volume() / self.start.get_volume() - 1)
        if self.stress is not None:
            numbers["pressure_GPa"] = -float(np.trace(self.stress)) / 3 * GPA_PER_EV_PER_A3
        return numbers

    def _displacement(self) -> float:
        """Return how far the atom that went farthest has come, relative to the cell."""
        if not self.start.cell.rank:
            return largest(self.atoms.positions - self.start.positions)
        back = self.start.cell.complete().array
        moved = self.atoms.positions @ np.linalg.solve(self.atoms.cell.complete().array, back) - self.start.positions
        return largest(find_mic(moved, self.start.cell, self.start.pbc)[0])


def check_fits(atoms: Atoms, settings: RelaxationConfig, where: str) -> None:
    """Raise ConfigError where the cell of a structure cannot relax."""
    if settings.cell == "none":
        return
    if not atoms.pbc.all():
        raise ConfigError(
            f"{where}: the cell relaxes only where it is periodic in all three directions; leave out --cell."
        )
    if len(fixed_atoms(atoms)):
        raise ConfigError(f"{where}: atoms are fixed, but the cell moves all; leave out --cell, or give --fixed none.")


def relax(
    relaxation: Relaxation,
    calculator: Calculator,
    settings: RelaxationConfig,
    keep: Callable[[], object] = lambda: None,
) -> None:
    """Take a relaxation further: to the minimum, to its last step, or to what goes wrong, which it then says.

    Args:
        relaxation: begun, or as it was kept; it is changed.
        calculator: with energies and forces, and with stress for the cell.
        settings: optimiser, limits, and what relaxes.
        keep: called after each step.
    """
    atoms = relaxation.atoms
    atoms.calc = calculator
    resumed = bool(relaxation.energies)
    target: Any = atoms if settings.cell == "none" else _with_cell(atoms, settings)

    def seen(force: float) -> None:
        nonlocal resumed
        if not resumed:  # where it goes on, the first that is seen is the last that was
            energy = float(atoms.get_potential_energy())
            if not np.isfinite(energy):
                raise ModelError("the energy is not finite; begin nearer to the minimum, or check the potential there.")
            relaxation.energies.append(energy)
            relaxation.forces.append(force)
            keep()
        resumed = False

    try:
        relaxation.at_rest = minimise(target, settings, settings.max_steps - relaxation.steps, seen)
        _take_labels(relaxation)
    except FAILURES as error:
        relaxation.problem = reason(error)
    atoms.calc = None


def _with_cell(atoms: Atoms, settings: RelaxationConfig) -> FrechetCellFilter:
    return FrechetCellFilter(atoms, hydrostatic_strain=settings.cell == "volume")


def _take_labels(relaxation: Relaxation) -> None:
    atoms = relaxation.atoms
    relaxation.atomic_forces = atoms.get_forces(apply_constraint=False).copy()
    if atoms.pbc.all() and "stress" in getattr(atoms.calc, "implemented_properties", ()):
        relaxation.stress = np.array(atoms.get_stress(voigt=False))


def _array(values: Any) -> np.ndarray | None:
    return None if values is None else np.array(values)
