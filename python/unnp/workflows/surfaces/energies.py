"""Energies of slabs and their crystals in one potential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from unnp.data.journal import Journal
from unnp.data.progress import counting
from unnp.errors import ModelError
from unnp.workflows.relaxation.config import MinimiserConfig, RelaxationConfig
from unnp.workflows.relaxation.minimise import FAILURES, reason
from unnp.workflows.relaxation.relaxation import Relaxation, relax
from unnp.workflows.surfaces.planes import cut
from unnp.workflows.surfaces.slabs import Slab, gamma

CRYSTAL = RelaxationConfig(cell="all", max_force=1e-4)
"""How the crystal is relaxed from which slabs are cut."""


@dataclass(frozen=True)
class Measured:
    """A slab in a potential. What does not exist, because something went wrong or was not asked for, is None.

    Attributes:
        n_atoms: of the slab.
        area: of one side [A^2].
        bulk: energy of the crystal [eV/atom].
        slab: energy of the slab as it was cut or given [eV/atom].
        gamma: surface energy of that [J/m^2].
        relaxed: energy of the slab with its atoms at rest [eV/atom].
        gamma_relaxed: surface energy of that [J/m^2].
        problem: what went wrong; empty: nothing.
    """

    n_atoms: int = 0
    area: float = 0.0
    bulk: float | None = None
    slab: float | None = None
    gamma: float | None = None
    relaxed: float | None = None
    gamma_relaxed: float | None = None
    problem: str = ""


def measure_all(
    slabs: Sequence[Slab],
    calculators: Mapping[str, Calculator],
    relaxing: MinimiserConfig | None,
    journal: Journal,
    title: str,
) -> list[Measured]:
    """Return all slabs in a potential, those that are not in the journal yet computed and put there.

    Args:
        slabs: from ``collect``.
        calculators: by formula, with energies and forces, and with stress where slabs are made; slabs without one are left out.
        relaxing: how atoms of slabs are relaxed; None: they are not.
        journal: what is finished; a problem is tried again.
        title: what the progress is called.

    Raises:
        ModelError: the potential can compute none of the slabs.
    """
    crystals: dict[str, tuple[Atoms, float]] = {}
    found = {k: Measured() for k, slab in enumerate(slabs) if slab.formula not in calculators}
    found |= {k: Measured(**entry) for k, entry in journal.finished.items() if not entry["problem"]}
    with counting(title, len(slabs), len(found)) as advance:
        for k, slab in enumerate(slabs):
            if k not in found:
                found[k] = measure(slab, calculators[slab.formula], relaxing, crystals)
                journal.add(k, asdict(found[k]))
                advance()
    measured = [found[k] for k in range(len(slabs))]
    if all(each.gamma is None for each in measured):
        name, problem = next((s.name, m.problem) for s, m in zip(slabs, measured, strict=True) if m.problem)
        raise ModelError(f"{title} can compute none of {len(slabs)} slabs; {name}: {problem}")
    return measured


def measure(
    slab: Slab, calculator: Calculator, relaxing: MinimiserConfig | None, crystals: dict[str, tuple[Atoms, float]]
) -> Measured:
    """Return one slab in a potential, or what went wrong.

    Args:
        slab: from ``collect``.
        calculator: of its formula, as in ``measure_all``.
        relaxing: how the atoms are relaxed; None: they are not.
        crystals: crystals of this potential that are known, with their energies [eV/atom]; it is filled.
    """
    try:
        crystal, bulk = _crystal(slab, calculator, crystals)
        atoms, area = _cut(slab, crystal)
        n_atoms = len(atoms)
        energy = _energy(atoms, calculator)
        found: dict[str, Any] = {"n_atoms": n_atoms, "area": area, "bulk": bulk, "slab": energy / n_atoms}
        found["gamma"] = gamma(energy, n_atoms, bulk, area)
    except FAILURES as error:
        return Measured(problem=reason(error))
    if relaxing is None:
        return Measured(**found)
    relaxation = Relaxation.of(atoms)
    relax(relaxation, calculator, RelaxationConfig(**relaxing.model_dump()))
    if relaxation.note():
        return Measured(**found, problem=f"relaxation of the slab: {relaxation.note()}")
    relaxed = relaxation.energies[-1]
    return Measured(**found, relaxed=relaxed / n_atoms, gamma_relaxed=gamma(relaxed, n_atoms, bulk, area))


def _crystal(slab: Slab, calculator: Calculator, known: dict[str, tuple[Atoms, float]]) -> tuple[Atoms, float]:
    """Return the crystal of a slab, relaxed where slabs are cut from it, and its energy per atom."""
    key = repr((slab.crystal.numbers.tolist(), slab.crystal.positions.tolist(), slab.crystal.cell.array.tolist()))
    key += f" {slab.made is not None}"
    if key not in known:
        atoms = slab.crystal.copy()
        if slab.made is not None:
            relaxation = Relaxation.of(atoms)
            relax(relaxation, calculator, CRYSTAL)
            if relaxation.note():
                raise ModelError(f"relaxation of the crystal: {relaxation.note()}")
            atoms = relaxation.atoms
        known[key] = atoms, _energy(atoms, calculator) / len(atoms)
    return known[key]


def _cut(slab: Slab, crystal: Atoms) -> tuple[Atoms, float]:
    """Return the atoms of a slab and the area of one side."""
    if slab.atoms is not None:
        return slab.atoms, slab.area
    assert slab.made is not None
    assert slab.plane is not None
    atoms = cut(crystal, slab.plane, slab.made.thickness, slab.made.vacuum)
    return atoms, float(np.linalg.norm(np.cross(atoms.cell[0], atoms.cell[1])))


def _energy(atoms: Atoms, calculator: Calculator) -> float:
    atoms = atoms.copy()
    atoms.calc = calculator
    energy = float(atoms.get_potential_energy())
    if not np.isfinite(energy):
        raise ModelError("the energy is not finite")
    return energy
