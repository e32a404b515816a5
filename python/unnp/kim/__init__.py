"""Empirical potentials: models of OpenKIM and the potential files of LAMMPS."""
