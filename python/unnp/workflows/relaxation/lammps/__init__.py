"""Relaxation by the minimiser of LAMMPS itself."""
