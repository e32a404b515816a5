"""Conversion factors against the constants of scipy (CODATA)."""

import math

import pytest
from scipy.constants import N_A, Boltzmann, calorie, e, epsilon_0, physical_constants
from unnp import units

HARTREE = physical_constants["Hartree energy in eV"][0]
BOHR = physical_constants["Bohr radius"][0] * 1e10


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (units.ENERGY_TO_EV["eV"], 1.0),
        (units.ENERGY_TO_EV["meV"], 1e-3),
        (units.ENERGY_TO_EV["Hartree"], HARTREE),
        (units.ENERGY_TO_EV["Ry"], HARTREE / 2),
        (units.ENERGY_TO_EV["kcal/mol"], 1000 * calorie / N_A / e),
        (units.KCAL_MOL_PER_EV, e * N_A / calorie / 1000),
        (units.LENGTH_TO_A["A"], 1.0),
        (units.LENGTH_TO_A["Angstrom"], 1.0),
        (units.LENGTH_TO_A["nm"], 10.0),
        (units.LENGTH_TO_A["Bohr"], BOHR),
        (units.STRESS_TO_EV_PER_A3["eV/A^3"], 1.0),
        (units.STRESS_TO_EV_PER_A3["GPa"], 1e9 * 1e-30 / e),
        (units.STRESS_TO_EV_PER_A3["kbar"], 1e8 * 1e-30 / e),
        (units.STRESS_TO_EV_PER_A3["bar"], 1e5 * 1e-30 / e),
        (units.GPA_PER_EV_PER_A3, e * 1e30 / 1e9),
        (units.BAR_PER_EV_PER_A3, e * 1e30 / 1e5),
        (units.BOLTZMANN_EV_PER_K, Boltzmann / e),
        (units.COULOMB_EV_A, e / (4 * math.pi * epsilon_0) * 1e10),
    ],
)
def test_factors(ours, expected):
    assert ours == pytest.approx(expected, rel=1e-9)
