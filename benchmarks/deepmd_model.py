"""Write a DeePMD model of Ni after one step of training, for lammps_throughput.py: ``python deepmd_model.py MODEL.pb``.

To be run by an interpreter that has deepmd-kit (with TensorFlow). Default widths of se_e2_a, float32, cutoff 5 A.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from measuring import nickel

SETTINGS = {
    "model": {
        "type_map": ["Ni"],
        "descriptor": {
            "type": "se_e2_a",
            "rcut": 5.0,
            "rcut_smth": 0.5,
            "sel": [80],
            "neuron": [25, 50, 100],
            "axis_neuron": 16,
            "precision": "float32",
        },
        "fitting_net": {"neuron": [240, 240, 240], "precision": "float32"},
    },
    "learning_rate": {"type": "exp", "start_lr": 1e-3, "stop_lr": 1e-4},
    "loss": {"type": "ener"},
    "training": {"training_data": {"systems": ["cells"], "batch_size": 1}, "numb_steps": 1},
}


def write_cells(folder: Path) -> None:
    """Write one cell of 108 atoms with zero energy and forces in DeePMD's format."""
    atoms = nickel(108)
    (folder / "set.000").mkdir(parents=True)
    (folder / "type.raw").write_text("0\n" * len(atoms))
    (folder / "type_map.raw").write_text("Ni\n")
    arrays = {"coord": atoms.positions, "box": atoms.cell.array, "energy": np.zeros(1), "force": np.zeros((108, 3))}
    for name, array in arrays.items():
        np.save(folder / "set.000" / f"{name}.npy", np.asarray(array, dtype=np.float32).reshape(1, -1))


def main() -> None:
    target = Path(sys.argv[1]).resolve()
    dp = str(Path(sys.executable).parent / "dp")
    with tempfile.TemporaryDirectory() as name:
        write_cells(Path(name) / "cells")
        (Path(name) / "input.json").write_text(json.dumps(SETTINGS))
        for command in (["train", "input.json"], ["freeze", "-o", str(target)]):
            subprocess.run([dp, "--tf", *command], cwd=name, check=True)


if __name__ == "__main__":
    main()
