"""Universal neural-network potentials for production molecular dynamics.

Label, train and export in Python; run the exported file in LAMMPS with ``pair_style unnp`` or in ASE. The names in
``__all__`` are what scripts need; they are imported when they are first asked for, so that ``import unnp`` stays light.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unnp.adapters.ase import UnnpCalculator
    from unnp.adapters.labeller import LabellerCalculator
    from unnp.atoms.elements import Elements
    from unnp.atoms.graph import Graph
    from unnp.atoms.structure import Structure
    from unnp.derivatives import Prediction, predict
    from unnp.errors import UnnpError
    from unnp.exported.export import export_model
    from unnp.exported.loader import LoadedPotential, load_model

__version__ = "0.1.0"

cmake_prefix_path = str(next((p for p in map(Path, __path__) if (p / "lib/cmake").is_dir()), Path(__path__[0])))
"""The folder in which CMake's ``find_package(unnp)`` has to look; see docs/cpp.md."""

_ROOMS = {
    "Elements": "unnp.atoms.elements",
    "Graph": "unnp.atoms.graph",
    "LabellerCalculator": "unnp.adapters.labeller",
    "LoadedPotential": "unnp.exported.loader",
    "Prediction": "unnp.derivatives",
    "Structure": "unnp.atoms.structure",
    "UnnpCalculator": "unnp.adapters.ase",
    "UnnpError": "unnp.errors",
    "export_model": "unnp.exported.export",
    "load_model": "unnp.exported.loader",
    "predict": "unnp.derivatives",
}

__all__ = [
    "Elements",
    "Graph",
    "LabellerCalculator",
    "LoadedPotential",
    "Prediction",
    "Structure",
    "UnnpCalculator",
    "UnnpError",
    "__version__",
    "cmake_prefix_path",
    "export_model",
    "load_model",
    "predict",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'unnp' has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    return __all__
