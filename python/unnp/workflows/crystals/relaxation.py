"""Crystals of a potential at zero pressure: bonds, energy and equation of state, or what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from unnp.errors import ModelError
from unnp.workflows.crystals.bonds import Shell, first_shell
from unnp.workflows.crystals.phases import what_became
from unnp.workflows.crystals.prototypes import CrystalSpec, build
from unnp.workflows.elastic.run import EquationOfState, equation_of_state, relax
from unnp.workflows.relaxation.minimise import FAILURES, reason

QUANTITIES = {
    "energy": "eV/atom",
    "bond": "A",
    "shell": "A",
    "volume": "A^3/atom",
    "c_over_a": "",
    "bulk_modulus": "GPa",
    "bulk_modulus_derivative": "",
}
"""Numbers of a crystal and their units."""

SEARCHED = tuple(np.linspace(0.8, 1.3, 21).tolist())
"""Factors on all lengths among which the minimum is looked for where the relaxation begins."""
DRAWN = tuple(np.linspace(0.8, 1.2, 21).tolist())
"""Factors on the volume along a curve that is drawn: wider than the one that the bulk modulus is fitted to."""
SHAKEN_COPIES = (2, 2, 2)


@dataclass(frozen=True)
class Settings:
    """How crystals are relaxed.

    Attributes:
        bond: shortest distance between atoms of a close packing [A], with which the search for the minimum begins; None:
            from what is known of the elements.
        shake: standard deviation of random displacements [A] before the relaxation, of 2 x 2 x 2 cells, and, divided by the
            bond, of the strain of a cell that may relax; 0: the perfect crystal, which keeps its symmetry even where it
            is unstable.
        curves: whether equations of state are computed.
    """

    bond: float | None = None
    shake: float = 0.0
    curves: bool = True


@dataclass(frozen=True)
class Crystal:
    """A crystal as a potential has it. What does not exist, because something went wrong, is None.

    Attributes:
        spec: what was asked for.
        atoms: the relaxed crystal.
        energy: [eV/atom].
        shell: its first shell of neighbours.
        volume: [A^3/atom].
        c_over_a: of prototypes that are not cubic.
        curve: equation of state along isotropic scaling of the relaxed cell.
        drawn: (n, 2) volumes [A^3/atom] and energies [eV/atom] further along the same scaling, as far as there are any.
        problem: what went wrong; empty: nothing.
    """

    spec: CrystalSpec
    atoms: Atoms | None = None
    energy: float | None = None
    shell: Shell | None = None
    volume: float | None = None
    c_over_a: float | None = None
    curve: EquationOfState | None = None
    drawn: np.ndarray | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """``FORMULA:KIND``."""
        return self.spec.name

    def numbers(self) -> dict[str, float]:
        """Return what is known of it, by the names of ``QUANTITIES``."""
        numbers = {"energy": self.energy, "volume": self.volume, "c_over_a": self.c_over_a}
        if self.shell is not None:
            numbers |= {"bond": self.shell.shortest, "shell": self.shell.mean}
        if self.curve is not None:
            numbers["bulk_modulus"] = self.curve.bulk_modulus
            numbers["bulk_modulus_derivative"] = self.curve.bulk_modulus_derivative
        return {name: value for name in QUANTITIES if (value := numbers.get(name)) is not None}


def relax_crystals(
    specs: Sequence[CrystalSpec],
    calculator: Calculator,
    settings: Settings | None = None,
    advance: Callable[[], None] = lambda: None,
) -> list[Crystal]:
    """Return crystals at zero pressure, in the order asked for; what went wrong with one is said in its ``problem``.

    Args:
        specs: from ``parse_specs``, or made.
        calculator: with energies, forces and stress.
        settings: how they are relaxed; None: the defaults.
        advance: called after each.

    Raises:
        ModelError: the potential can compute none of them.
    """
    crystals = []
    for spec in specs:
        crystals.append(relax_crystal(spec, calculator, settings or Settings()))
        advance()
    if crystals and all(crystal.atoms is None for crystal in crystals):
        first = crystals[0]
        raise ModelError(f"none of {len(crystals)} crystals could be relaxed; the first, {first.name}: {first.problem}")
    return crystals


def relax_crystal(spec: CrystalSpec, calculator: Calculator, settings: Settings) -> Crystal:
    """Return one crystal at zero pressure, or what went wrong."""
    try:
        start = _near_minimum(build(spec, settings.bond), calculator)
        if settings.shake:
            start = start * SHAKEN_COPIES
        relaxed = relax(_shaken(start, settings.shake, spec), calculator, cell=True, keep_shape=spec.held is not None)
        crystal = replace(_described(spec, relaxed), problem=what_became(spec, start, relaxed))
    except FAILURES as error:
        return Crystal(spec, problem=reason(error))
    if not settings.curves or crystal.problem:
        return crystal
    try:
        curve = equation_of_state(relaxed, calculator)
        return replace(crystal, curve=curve, drawn=_drawn(relaxed, calculator))
    except FAILURES as error:
        return replace(crystal, problem=f"it has no equation of state: {reason(error)}")


def _described(spec: CrystalSpec, relaxed: Atoms) -> Crystal:
    n_atoms = len(relaxed)
    a, _, c = relaxed.cell.lengths()
    ratio = float(c / a) if spec.prototype is not None and spec.prototype.c_over_a is not None else None
    energy = float(relaxed.get_potential_energy()) / n_atoms
    return Crystal(spec, relaxed, energy, first_shell(relaxed), relaxed.get_volume() / n_atoms, ratio)


def _near_minimum(atoms: Atoms, calculator: Calculator) -> Atoms:
    """Return the crystal with lengths times the factor, of those searched, at the minimum of the energy nearest to 1.

    The nearest rather than the deepest: at short distances, where no data were, a network may have a deep hole.
    """
    energies = np.array([_energy(_scaled(atoms, factor), calculator) for factor in SEARCHED])
    inner = [k for k in range(1, len(SEARCHED) - 1) if energies[k] < min(energies[k - 1], energies[k + 1])]
    if not inner:
        bonds = [first_shell(atoms).shortest * factor for factor in (SEARCHED[0], SEARCHED[-1])]
        raise ModelError(
            f"the energy has no minimum at bonds between {bonds[0]:.2f} and {bonds[1]:.2f} A; where it may be elsewhere, "
            "give the bond of the close packing (--bond)."
        )
    return _scaled(atoms, SEARCHED[min(inner, key=lambda k: abs(SEARCHED[k] - 1))])


def _drawn(relaxed: Atoms, calculator: Calculator) -> np.ndarray:
    points = []
    for factor in DRAWN:
        with suppress(*FAILURES):  # far from the minimum a potential may end
            atoms = _scaled(relaxed, factor ** (1 / 3))
            points.append((atoms.get_volume() / len(atoms), _energy(atoms, calculator) / len(atoms)))
    return np.array(points).reshape(-1, 2)


def _energy(atoms: Atoms, calculator: Calculator) -> float:
    atoms.calc = calculator
    energy = float(atoms.get_potential_energy())
    atoms.calc = None
    return energy


def _scaled(atoms: Atoms, factor: float) -> Atoms:
    copy = atoms.copy()
    copy.set_cell(copy.cell * factor, scale_atoms=True)
    return copy


def _shaken(atoms: Atoms, amount: float, spec: CrystalSpec) -> Atoms:
    """Return a copy with random displacements and, where the shape is not held, a random strain; the same in each run."""
    rng = np.random.default_rng(0)
    copy = atoms.copy()
    if spec.held is None:
        e = rng.normal(scale=amount / first_shell(atoms).shortest, size=(3, 3))
        copy.set_cell(copy.cell @ (np.eye(3) + 0.5 * (e + e.T)), scale_atoms=True)
    copy.positions += rng.normal(scale=amount, size=(len(copy), 3))
    return copy
