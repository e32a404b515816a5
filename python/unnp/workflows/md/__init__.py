"""Molecular dynamics in LAMMPS from one YAML file."""
