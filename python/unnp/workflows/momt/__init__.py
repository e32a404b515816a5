"""MOMT sampling with LAMMPS: observe, adapt, freeze, produce, thin and label frames, analyse."""
