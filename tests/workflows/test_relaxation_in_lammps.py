"""LAMMPS' own minimiser: the minimum of ASE's optimisers, on any number of ranks, and what is refused or goes wrong."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc100, molecule
from ase.constraints import FixAtoms
from ase.io import read, write
from typer.testing import CliRunner
from unnp.adapters.opening import open_calculator
from unnp.cli import build_app
from unnp.errors import ConfigError, DataError, LammpsError, ModelError, UnnpError
from unnp.lammps.launch import Launch
from unnp.lammps.opening import open_interaction
from unnp.workflows.relaxation.config import RelaxationConfig
from unnp.workflows.relaxation.lammps.minimiser import LammpsMinimiser
from unnp.workflows.relaxation.relaxation import Relaxation
from unnp.workflows.relaxation.run import run_relaxations

EAM = {"kind": "lammps", "elements": ["Al"], "pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs Al"]}


def crystal() -> Atoms:
    """A strained crystal with a vacancy, in a cell that LAMMPS has to turn."""
    atoms = bulk("Al", cubic=True) * 2
    del atoms[5]
    atoms.set_cell(atoms.cell @ [[1.02, 0.03, 0.0], [0.0, 0.99, 0.02], [0.01, 0.0, 1.01]], scale_atoms=True)
    atoms.rattle(0.05, seed=1)
    atoms.rotate(40, (1, 2, 3), rotate_cell=True)
    return atoms


def slab() -> Atoms:
    """A slab without periodicity in z, whose lower half is fixed, with an adatom."""
    atoms = fcc100("Al", (2, 2, 4))
    atoms += Atoms("Al", [[1.0, 1.2, 8.0]])
    atoms.rattle(0.05, seed=2)
    atoms.set_constraint(FixAtoms(indices=range(8)))
    atoms.pbc = (True, True, False)
    return atoms


def cluster() -> Atoms:
    """Three atoms in one half of a long periodic cell, so that one of two ranks has none."""
    return Atoms("Al3", [[1, 1, 1], [3.5, 1, 1], [2.2, 3.2, 1.3]], cell=(40, 12, 12), pbc=True)


@pytest.fixture
def eam(tmp_path: Path) -> Path:
    (tmp_path / "al.yaml").write_text(json.dumps(EAM))
    return tmp_path / "al.yaml"


def relaxed(potential: Path, atoms: Atoms, folder: Path, ranks: int = 1, **settings) -> Relaxation:
    minimiser = LammpsMinimiser(open_interaction(potential), potential.parent, Launch(ranks=ranks))
    (found,) = run_relaxations([atoms], minimiser, RelaxationConfig(optimiser="lammps", **settings), folder)
    return found


def with_lbfgs(potential: Path, atoms: Atoms, folder: Path, **settings) -> Relaxation:
    calculator = open_calculator(potential)
    (found,) = run_relaxations([atoms], calculator, RelaxationConfig(optimiser="lbfgs", **settings), folder)
    return found


def assert_same_minimum(found: Relaxation, other: Relaxation) -> None:
    assert found.note() == other.note() == ""
    assert found.energies[0] == pytest.approx(other.energies[0], abs=1e-9)
    assert found.forces[0] == pytest.approx(other.forces[0], rel=0.02)  # that of the cell counts from another orientation
    assert found.energies[-1] == pytest.approx(other.energies[-1], abs=1e-6)
    assert found.atoms.positions == pytest.approx(other.atoms.positions, abs=1e-3)
    assert found.atoms.cell.array == pytest.approx(other.atoms.cell.array, abs=1e-3)


def assert_is_what_ase_computes(found: Relaxation, potential: Path) -> None:
    atoms = found.atoms.copy()
    atoms.calc = open_calculator(potential)
    assert found.energies[-1] == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
    assert found.atomic_forces == pytest.approx(atoms.get_forces(apply_constraint=False), abs=1e-9)
    if atoms.pbc.all():
        assert found.stress == pytest.approx(atoms.get_stress(voigt=False), abs=1e-9)
    else:
        assert found.stress is None


@pytest.mark.parametrize("cell", ["none", "volume", "all"])
def test_the_minimum_is_that_of_ase(cell: str, eam: Path, tmp_path: Path) -> None:
    settings = {"cell": cell, "max_force": 1e-4}
    found = relaxed(eam, crystal(), tmp_path / "run", **settings)
    assert_same_minimum(found, with_lbfgs(eam, crystal(), tmp_path / "ase", **settings))
    assert_is_what_ase_computes(found, eam)
    assert found.forces[-1] <= 1e-4
    largest = np.linalg.norm(found.atomic_forces, axis=1).max()
    pressed = np.linalg.norm(found.stress, axis=1).max() * found.atoms.get_volume() / len(found.atoms)
    assert found.forces[-1] == pytest.approx({"none": largest, "all": max(largest, pressed)}.get(cell, largest), rel=0.5)


def test_a_slab_with_fixed_atoms_on_one_and_two_ranks(eam: Path, tmp_path: Path) -> None:
    one, two = (relaxed(eam, slab(), tmp_path / f"run-{n}", ranks=n, max_force=1e-4) for n in (1, 2))
    assert_same_minimum(one, with_lbfgs(eam, slab(), tmp_path / "ase", max_force=1e-4))
    assert_is_what_ase_computes(two, eam)
    assert np.array_equal(one.atoms.positions[:8], slab().positions[:8])
    assert np.abs(one.atomic_forces[:8]).max() > 0.01  # they are told, though they do not count
    assert two.energies == pytest.approx(one.energies, abs=1e-8)
    assert two.atoms.positions == pytest.approx(one.atoms.positions, abs=1e-6)


def test_a_rank_without_atoms_and_atoms_that_cross_a_boundary(eam: Path, tmp_path: Path) -> None:
    found = relaxed(eam, cluster(), tmp_path / "two", ranks=2, max_force=1e-4)
    assert_same_minimum(found, with_lbfgs(eam, cluster(), tmp_path / "ase", max_force=1e-4))
    across = cluster()
    across.positions -= [2.0, 1.5, 13.5]
    moved = relaxed(eam, across, tmp_path / "across", max_force=1e-4)
    assert moved.atoms.positions + [2.0, 1.5, 13.5] == pytest.approx(found.atoms.positions, abs=1e-4)


def test_a_model_runs_in_float64_and_knows_its_head(write_model, tmp_path: Path) -> None:
    model = write_model(tmp_path / "model.pt", dtype="float32")
    atoms = bulk("Ni", "fcc", a=3.7, cubic=True) * 2
    atoms.numbers[::3] = 13
    atoms.rattle(0.1, seed=3)
    settings = {"max_force": 1e-4, "cell": "volume"}
    found = relaxed(model, atoms, tmp_path / "run", ranks=2, **settings)
    assert_same_minimum(found, with_lbfgs(model, atoms, tmp_path / "ase", **settings))
    assert_is_what_ase_computes(found, model)
    with pytest.raises(ModelError, match="head"):
        open_interaction(model, "pbe")


def test_molecules_and_pair_modify(tmp_path: Path) -> None:
    lj = {**EAM, "elements": ["O"], "pair_style": "lj/cut 6.0", "pair_coeff": ["* * 0.3 2.0"], "pair_modify": ["shift yes"]}
    (tmp_path / "lj.yaml").write_text(json.dumps(lj))
    found = relaxed(tmp_path / "lj.yaml", molecule("O2"), tmp_path / "run", max_force=1e-5)
    assert found.atoms.get_distance(0, 1) == pytest.approx(2.0 * 2 ** (1 / 6), abs=1e-5)
    assert found.energies[-1] == pytest.approx(-0.3 - 4 * 0.3 * ((2 / 6) ** 12 - (2 / 6) ** 6), abs=1e-9)
