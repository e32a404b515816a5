"""Relaxed crystals of a potential: bonds, energies, order of stability, equations of state."""
