"""Thermodynamics from MOMT samples: reweighting, density of states, melting point. Knows nothing of LAMMPS but its logs."""
