"""A band moved by LAMMPS' own ``neb``."""
