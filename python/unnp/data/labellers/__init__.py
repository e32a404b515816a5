"""What computes energy, forces and stress of structures: ASE calculators and LAMMPS pair styles, one file each."""

from unnp.data.labellers.base import Labeller, build_labeller, check_settings, file_checksums, register

__all__ = ["Labeller", "build_labeller", "check_settings", "file_checksums", "register"]
