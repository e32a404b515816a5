"""Lattice, equation of state and elastic constants of a crystal with any ASE calculator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.filters import FrechetCellFilter

from unnp.atoms.voigt import PLACES
from unnp.errors import DataError, ModelError
from unnp.units import GPA_PER_EV_PER_A3
from unnp.workflows.relaxation.config import MinimiserConfig
from unnp.workflows.relaxation.minimise import minimise

SEARCH = MinimiserConfig(max_force=1e-4)
"""How a minimum is looked for: more closely than where structures are relaxed for their own sake."""
STRAIN = 2e-3
VOLUME_SCALES = tuple(np.linspace(0.96, 1.04, 9).tolist())


@dataclass(frozen=True)
class EquationOfState:
    """Energy over volume and what a third-order Birch-Murnaghan curve through it says.

    Attributes:
        volumes: (n,) [A^3/atom].
        energies: (n,) [eV/atom].
        volume: volume at the minimum [A^3/atom].
        energy: energy at the minimum [eV/atom].
        bulk_modulus: at the minimum [GPa].
        bulk_modulus_derivative: its change with pressure at the minimum, ``dB/dP``.
    """

    volumes: np.ndarray
    energies: np.ndarray
    volume: float
    energy: float
    bulk_modulus: float
    bulk_modulus_derivative: float


@dataclass(frozen=True)
class ElasticResult:
    """A crystal at zero pressure and how it resists strain.

    Attributes:
        atoms: the relaxed crystal.
        energy: [eV/atom].
        stiffness: (6, 6) [GPa], Voigt order xx yy zz yz xz xy, engineering shear strains.
        equation_of_state: along isotropic scaling of the relaxed cell.
    """

    atoms: Atoms
    energy: float
    stiffness: np.ndarray
    equation_of_state: EquationOfState


def elastic_properties(atoms: Atoms, calculator: Calculator) -> ElasticResult:
    """Relax a crystal and return its energy, equation of state and elastic constants; see the functions below."""
    relaxed = relax(atoms, calculator, cell=True)
    energy = float(relaxed.get_potential_energy()) / len(relaxed)
    c = stiffness(relaxed, calculator)
    return ElasticResult(relaxed, energy, c, equation_of_state(relaxed, calculator))


def relax(atoms: Atoms, calculator: Calculator, *, cell: bool, keep_shape: bool = False) -> Atoms:
    """Return a copy at the nearest minimum of the energy, moving the atoms alone or the cell as well.

    Args:
        atoms: periodic in all three directions.
        calculator: with forces and, for the cell, stress.
        cell: also bring the stress to zero.
        keep_shape: the cell only grows or shrinks, until the pressure is zero.

    Raises:
        DataError: not periodic in all directions.
        ModelError: no minimum within 500 steps, or a force is not finite.
    """
    if not atoms.pbc.all():
        raise DataError("a crystal must be periodic in all three directions; set pbc.")
    copy = atoms.copy()
    copy.calc = calculator
    target: Any = FrechetCellFilter(copy, hydrostatic_strain=keep_shape) if cell else copy
    if not minimise(target, SEARCH, SEARCH.max_steps, lambda force: None):
        raise ModelError(
            f"{copy.get_chemical_formula()} found no minimum within {SEARCH.max_steps} steps; begin nearer to it, or check the "
            "model on such structures."
        )
    return copy


def stiffness(atoms: Atoms, calculator: Calculator, strain: float = STRAIN) -> np.ndarray:
    """Return the elastic constants ``C_kl = d stress_k / d strain_l`` of a crystal at zero stress.

    Central differences of the stress; the atoms are relaxed in each strained cell.

    Args:
        atoms: relaxed, as ``relax`` returns it.
        calculator: with forces and stress.
        strain: magnitude of each strain; shear strains are engineering strains, ``2 e_yz``.

    Returns:
        (6, 6) [GPa], symmetrised, Voigt order xx yy zz yz xz xy.
    """
    columns = []
    for k in range(6):
        ahead, behind = (_stress(strained(atoms, k, sign * strain), calculator) for sign in (1, -1))
        columns.append((ahead - behind) / (2 * strain))
    c = np.array(columns) * GPA_PER_EV_PER_A3
    return 0.5 * (c + c.T)


def strained(atoms: Atoms, k: int, magnitude: float) -> Atoms:
    """Return a copy under one strain, ``k`` in Voigt order xx yy zz yz xz xy, shear as engineering strain."""
    i, j = (places[k] for places in PLACES["ase"])
    deformation = np.eye(3)
    deformation[i, j] += magnitude / 2
    deformation[j, i] += magnitude / 2
    copy = atoms.copy()
    copy.set_cell(copy.cell @ deformation, scale_atoms=True)
    return copy


def equation_of_state(atoms: Atoms, calculator: Calculator, scales: Sequence[float] = VOLUME_SCALES) -> EquationOfState:
    """Return energies of isotropically scaled cells and the Birch-Murnaghan curve through them.

    ``E(V) = sum_k c_k x^k`` with ``x = (V_ref / V)^(2/3)``, k = 0..3, by least squares; atoms keep their scaled positions.

    Args:
        atoms: crystal near its equilibrium volume.
        calculator: with energies.
        scales: factors on the volume, at least four.

    Raises:
        ModelError: the curve has no minimum between the smallest and the largest volume.
    """
    reference = atoms.get_volume() / len(atoms)
    energies = []
    for scale in scales:
        copy = atoms.copy()
        copy.set_cell(copy.cell * scale ** (1 / 3), scale_atoms=True)
        copy.calc = calculator
        energies.append(copy.get_potential_energy() / len(atoms))
    volumes = reference * np.asarray(scales)
    curve = np.polynomial.Polynomial.fit((reference / volumes) ** (2 / 3), energies, 3)
    slope, curvature = curve.deriv(), curve.deriv(2)
    lowest, highest = curve.domain
    minima = [float(x.real) for x in slope.roots() if abs(x.imag) < 1e-9 and curvature(x.real) > 0]
    minima = [x for x in minima if lowest <= x <= highest]
    if not minima:
        raise ModelError(
            f"the energy of {atoms.get_chemical_formula()} has no minimum between {volumes.min():.4g} and "
            f"{volumes.max():.4g} A^3/atom; begin nearer to the equilibrium volume, or check the model."
        )
    x = min(minima, key=lambda root: float(curve(root)))
    x -= float(slope(x) / curvature(x))  # roots of a polynomial with a small leading coefficient are not quite exact
    volume = reference / x**1.5
    bulk_modulus = 4 / 9 * x**2 * float(curvature(x)) / volume * GPA_PER_EV_PER_A3
    derivative = 4 + 2 / 3 * x * float(curve.deriv(3)(x) / curvature(x))
    return EquationOfState(volumes, np.array(energies), volume, float(curve(x)), bulk_modulus, derivative)


def is_cubic(c: np.ndarray, tolerance: float = 0.01) -> bool:
    """Tell whether a stiffness (6, 6) has cubic symmetry along the axes, to a fraction of its largest entry."""
    return bool(np.abs(c - _cubic(c)).max() <= tolerance * np.abs(c).max())


def cubic_constants(c: np.ndarray) -> tuple[float, float, float]:
    """Return C11, C12 and C44 of a stiffness (6, 6), each averaged over the equivalent entries."""
    upper = c[[0, 0, 1], [1, 2, 2]]
    return float(np.diag(c)[:3].mean()), float(upper.mean()), float(np.diag(c)[3:].mean())


def _cubic(c: np.ndarray) -> np.ndarray:
    c11, c12, c44 = cubic_constants(c)
    result = np.diag([c11] * 3 + [c44] * 3)
    result[:3, :3] += c12 * (1 - np.eye(3))
    return result


def _stress(atoms: Atoms, calculator: Calculator) -> np.ndarray:
    """Return the stress (6,) [eV/A^3] of a strained crystal after its atoms have relaxed."""
    return relax(atoms, calculator, cell=False).get_stress(voigt=True)
