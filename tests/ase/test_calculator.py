"""The ASE calculator on an exported file."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress
from ase.md.verlet import VelocityVerlet
from ase.units import fs
from unnp.adapters.ase import UnnpCalculator
from unnp.errors import ConfigError, DataError, ModelError


def alloy(seed: int = 0, repeat: int = 2) -> Atoms:
    """A rattled, sheared Ni-Al crystal."""
    atoms = bulk("Al", "fcc", a=4.05, cubic=True) * repeat
    atoms.numbers[::3] = 28
    atoms.rattle(0.15, seed=seed)
    atoms.set_cell(atoms.cell[:] @ np.array([[1.02, 0.05, 0.0], [0.0, 0.97, 0.08], [0.02, 0.0, 1.0]]), scale_atoms=True)
    return atoms


@pytest.fixture
def calculator(small_model):
    return UnnpCalculator(small_model, device="cpu")


def structures() -> dict[str, Atoms]:
    primitive = bulk("AlNi", "cesiumchloride", a=2.9)
    primitive.rattle(0.1, seed=1)
    primitive.set_cell(primitive.cell[:] @ (np.eye(3) + 0.05), scale_atoms=True)
    slab = fcc111("Al", (2, 2, 3), vacuum=6.0)
    slab.rattle(0.1, seed=2)
    cluster = Atoms("Al2NiAl", positions=[[0, 0, 0], [2.4, 0.3, 0], [0.2, 2.6, 0.4], [1.0, 1.1, 2.3]])
    wire = Atoms("AlNi", positions=[[0, 0, 0], [0.4, 0, 1.9]], cell=[0, 0, 3.1], pbc=[False, False, True])
    return {"bulk": alloy(), "primitive": primitive, "slab": slab, "cluster": cluster, "wire": wire}


@pytest.mark.parametrize("name", structures())
def test_forces_are_the_derivative_of_the_energy(calculator, name):
    atoms = structures()[name]
    atoms.calc = calculator
    forces = atoms.get_forces()
    assert np.abs(forces).max() > 1e-3
    atoms = atoms[: min(len(atoms), 8)] if name == "cluster" else atoms
    atoms.calc = calculator
    numerical = calculate_numerical_forces(atoms, eps=1e-4, iatoms=range(min(len(atoms), 4)))
    assert np.abs(numerical - forces[: len(numerical)]).max() < 1e-7


@pytest.mark.parametrize("name", ["bulk", "primitive", "slab"])
def test_stress_is_the_derivative_by_strain_and_the_sum_of_stresses(calculator, name):
    atoms = structures()[name]
    atoms.calc = calculator
    stresses, stress = atoms.get_stresses(), atoms.get_stress()
    assert np.abs(stress).max() > 1e-4
    assert np.abs(calculate_numerical_stress(atoms, eps=1e-5) - stress).max() < 1e-8
    assert np.abs(stresses.sum(axis=0) - stress).max() < 1e-13


def test_energies_sum_to_the_energy(calculator):
    atoms = alloy()
    atoms.calc = calculator
    assert atoms.get_potential_energies().sum() == pytest.approx(atoms.get_potential_energy(), abs=1e-10)
    assert atoms.get_potential_energy(force_consistent=True) == atoms.get_potential_energy()


def test_isolated_atom_has_its_reference_energy(calculator):
    atoms = Atoms("Al", calculator=calculator)
    assert atoms.get_potential_energy() == pytest.approx(-3.0 - 1.0 - 0.1, abs=1e-12)
    assert not atoms.get_forces().any()


def test_no_stress_without_a_volume(calculator):
    atoms = molecule("H2")
    atoms.numbers[:] = 13
    atoms.calc = calculator
    with pytest.raises(PropertyNotImplementedError, match="stress"):
        atoms.get_stress()


def test_unknown_element_names_what_the_model_knows(calculator):
    with pytest.raises(ModelError, match="contains Cu, but the model knows only Al, Ni"):
        calculator.get_potential_energy(bulk("Cu"))


def test_positions_that_are_not_finite_are_an_error_even_with_a_list_at_hand(calculator):
    atoms = alloy()
    atoms.calc = calculator
    atoms.get_potential_energy()
    atoms.positions[3, 1] = np.nan
    with pytest.raises(DataError, match="not finite"):
        atoms.get_potential_energy()


@pytest.mark.parametrize("skin", [-0.1, float("nan"), float("inf")])
def test_a_skin_that_is_no_length_is_refused(small_model, skin):
    with pytest.raises(ConfigError, match="skin"):
        UnnpCalculator(small_model, device="cpu", skin=skin)


def test_float32_and_float64_agree(small_model):
    results = {}
    for dtype in ("model", "float32", "float64"):
        atoms = alloy()
        atoms.calc = UnnpCalculator(small_model, device="cpu", dtype=dtype)
        results[dtype] = atoms.get_potential_energy(), atoms.get_forces()
    assert results["model"][0] == results["float64"][0]
    assert results["float32"][0] == pytest.approx(results["float64"][0], rel=1e-6)
    assert results["float32"][0] != results["float64"][0]
    assert np.abs(results["float32"][1] - results["float64"][1]).max() < 1e-5


def test_committee_mean_is_the_prediction_and_deviation_its_spread(calculator):
    atoms = alloy()
    atoms.calc = calculator
    committee = calculator.committee(atoms)
    assert committee.forces.shape == (3, len(atoms), 3)
    assert np.abs(committee.forces.mean(axis=0) - atoms.get_forces()).max() < 1e-12
    assert committee.energies.mean() == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
    deviation = np.linalg.norm(committee.forces - committee.forces.mean(axis=0), axis=2)
    assert np.allclose(committee.force_deviation, np.sqrt((deviation**2).mean(axis=0)))
    assert committee.force_deviation.max() > 1e-3
    assert committee.energy_deviation > 1e-3


def test_dynamics_conserves_energy_and_reuses_the_list(calculator):
    atoms = bulk("Al", "fcc", a=3.6, cubic=True) * 2
    atoms.rattle(0.05, seed=3)
    atoms.calc = calculator
    start = atoms.get_total_energy()
    VelocityVerlet(atoms, 1.0 * fs).run(100)
    assert atoms.get_kinetic_energy() > 0.01
    assert abs(atoms.get_total_energy() - start) / len(atoms) < 1e-4
    assert calculator._list.n_builds < 10
