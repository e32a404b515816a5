"""Universal neural-network potentials for production molecular dynamics.

Label, train and export in Python; run the exported file in LAMMPS with ``pair_style unnp`` or in ASE.
"""

__version__ = "0.1.0"
