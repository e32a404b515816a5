"""The numbers that fixes with trial moves of LAMMPS should give, and the decks in which they are asked for them."""

from __future__ import annotations

import math
from pathlib import Path

import ase
from lammps_run import write_data
from reference import evaluate
from toy_model import CUTOFF, ELEMENTS

BOLTZMANN = 8.617343e-5  # of LAMMPS' units metal [eV/K]
PLANCK = 4.135667403e-3  # [eV ps]
MVV2E = 1.0364269e-4
MASS = 50.0


def energy(model: Path, atoms: ase.Atoms) -> float:
    """Return the energy [eV] of a structure in plain Python."""
    return evaluate(model, atoms, ELEMENTS, CUTOFF).energy


def lone_energy(model: Path, element: str) -> float:
    """Return the energy [eV] of an atom without neighbours."""
    return energy(model, ase.Atoms(element, [[0, 0, 0]], cell=[50, 50, 50], pbc=True))


def ideal_gas_mu(n_atoms: float, volume: float, temperature: float) -> float:
    """Return the chemical potential [eV] of an ideal gas whose atoms have the energy 0."""
    kt = BOLTZMANN * temperature
    wavelength = math.sqrt(PLANCK**2 / (2 * math.pi * MASS * MVV2E * kt))
    return kt * math.log(n_atoms * wavelength**3 / volume)


def start(model: Path, data: str = "a.data", style: str = "", before: str = "") -> str:
    """Return the start of a deck."""
    return f"""
clear
units metal
atom_modify map yes
{before}read_data {data}
pair_style unnp {style}
pair_coeff * * {model} {" ".join(ELEMENTS)}
"""


def write_molecules(path: Path, atoms: ase.Atoms, molecules: list[int]) -> None:
    """Write a data file of atom style molecular with a molecule for each atom."""
    write_data(path, atoms, ELEMENTS)
    head, rows = path.read_text().split("Atoms # atomic\n\n")
    lines = (row.split(" ", 1) for row in rows.splitlines())
    rows = "".join(f"{k} {molecule} {rest}\n" for (k, rest), molecule in zip(lines, molecules, strict=True))
    path.write_text(f"{head}Atoms # molecular\n\n{rows}")
