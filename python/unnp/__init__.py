"""Universal neural-network potentials for production molecular dynamics.

Label, train and export in Python; run the exported file in LAMMPS with ``pair_style unnp`` or in ASE.
"""

from pathlib import Path

__version__ = "0.1.0"

cmake_prefix_path = str(next((p for p in map(Path, __path__) if (p / "lib/cmake").is_dir()), Path(__path__[0])))
"""where CMake's ``find_package(unnp)`` has to look; see docs/cpp.md"""
