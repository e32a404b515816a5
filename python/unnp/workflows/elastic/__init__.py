"""Lattice constants, equation of state and elastic constants of a crystal."""
