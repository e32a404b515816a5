"""Conversion factors. Inside unnp: eV, A, eV/A, eV/A^3, amu, fs, K. Values: CODATA 2018."""

GPA_PER_EV_PER_A3 = 160.2176634
BAR_PER_EV_PER_A3 = 1602176.634
BAR_PER_GPA = 1e4
KCAL_MOL_PER_EV = 23.060547830619
BOLTZMANN_EV_PER_K = 8.617333262e-5
COULOMB_EV_A = 14.3996454784
"""e^2 / (4 pi eps_0), the energy of two unit charges 1 A apart"""

ENERGY_TO_EV = {
    "eV": 1.0,
    "meV": 1e-3,
    "Hartree": 27.211386245988,
    "Ry": 13.605693122994,
    "kcal/mol": 1 / KCAL_MOL_PER_EV,
}
LENGTH_TO_A = {"A": 1.0, "Angstrom": 1.0, "nm": 10.0, "Bohr": 0.529177210903}
STRESS_TO_EV_PER_A3 = {
    "eV/A^3": 1.0,
    "GPa": 1 / GPA_PER_EV_PER_A3,
    "kbar": 0.1 / GPA_PER_EV_PER_A3,
    "bar": 1 / BAR_PER_EV_PER_A3,
    "MPa": 1e-3 / GPA_PER_EV_PER_A3,
    "Pa": 1e-9 / GPA_PER_EV_PER_A3,
}
