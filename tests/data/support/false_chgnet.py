"""A package that has the name and the interface of CHGNet, and computes with EMT: a teacher that costs nothing.

It is killed by structures of three atoms, and takes ten minutes over those of five.
"""

from __future__ import annotations

import venv
from pathlib import Path

FILES = {
    "chgnet/__init__.py": "",
    "chgnet/model/__init__.py": "",
    "chgnet/model/model.py": """
class CHGNet:
    class composition_model:
        class fc:
            class weight:
                numel = staticmethod(lambda: 94)

    @classmethod
    def load(cls, model_name, use_device, verbose):
        print("the false CHGNet", model_name, "is loaded")
        return cls()

    @classmethod
    def from_file(cls, path):
        raise RuntimeError("this is no checkpoint")
""",
    "chgnet/model/dynamics.py": """
import os
import signal
import time
from ase.calculators.emt import EMT

class CHGNetCalculator(EMT):
    implemented_properties = [*EMT.implemented_properties, "magmoms"]

    def __init__(self, model, use_device, on_isolated_atoms):
        super().__init__()
        self.model = model

    def calculate(self, atoms=None, properties=None, system_changes=None):
        print("{}")
        if len(atoms) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if len(atoms) == 5:
            time.sleep(600)
        super().calculate(atoms, properties, system_changes)
        self.results["magmoms"] = 0.1 * atoms.numbers
""",
    "chgnet-9.9.dist-info/METADATA": "Metadata-Version: 2.1\nName: chgnet\nVersion: 9.9\n",
}


def write_package(folder: Path) -> Path:
    """Write the package into a folder, which is returned."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def environment(folder: Path, *further: str | Path) -> Path:
    """Return the Python of a new environment that has nothing but the folders given."""
    venv.create(folder, symlinks=True, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "further.pth").write_text("".join(f"{path}\n" for path in further))
    return folder / "bin/python"
