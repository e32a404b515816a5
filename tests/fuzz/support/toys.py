"""Small inputs that are made in seconds: a labelled data set, a trained potential, and short runs with LAMMPS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import write
from outcome import Ended
from runner import Server
from safetensors.numpy import load_file

TRAIN = """\
data: {train: [data], validation: 0.25}
potential:
  settings: {layer_cutoffs: [3.6], scalars: 4, vectors: 2, tensors: 2, bond_scalars: 2, projections: 2, hidden: 4,
    radial_functions: 4}
loss: {energy: {weight: 10}, forces: {weight: 1}, stress: {weight: 1000}}
optimizer: {learning_rate: 0.02, warmup_steps: 1, average_decay: 0.5}
epochs: 3
threads: 1
"""
EAM: dict[str, Any] = {"pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs {elements}"]}
CRYSTAL: dict[str, Any] = {"element": "Al", "lattice": "fcc", "a": 4.05, "repeat": [2, 2, 2]}
LABELLER: dict[str, Any] = {
    "kind": "lammps",
    "elements": ["Al"],
    "pair_style": "eam/fs",
    "pair_coeff": ["* * Al_mm.eam.fs Al"],
}


def write_frames(path: Path, n: int = 12, labelled: bool = True, copper: bool = True) -> None:
    """Write n strained and disturbed crystals of Al (and Cu) with four atoms each, labels by ASE's EMT."""
    rng = np.random.default_rng(0)
    frames = []
    for k in range(n):
        atoms = bulk("Cu", "fcc", a=3.6, cubic=True) if copper and k % 3 == 0 else bulk("Al", "fcc", a=4.05, cubic=True)
        atoms.set_cell(atoms.cell @ (np.eye(3) + 0.02 * rng.standard_normal((3, 3))), scale_atoms=True)
        atoms.rattle(0.08, seed=k)
        if labelled:
            atoms.calc = EMT()
            atoms.get_forces(), atoms.get_stress()
            atoms.calc.results = {name: atoms.calc.results[name] for name in ("energy", "forces", "stress")}
        atoms.info["group"] = "odd" if k % 2 else "even"
        frames.append(atoms)
    write(path, frames)


def make_store(unnp: Server, folder: Path) -> None:
    """Make the store ``data`` in a folder."""
    write_frames(folder / "frames.extxyz")
    succeeded(unnp.run(folder, "data", "convert", "frames.extxyz", "-o", "data"))


def succeeded(ended: Ended) -> str:
    """Return the output of a command that had to end well."""
    assert ended.code == 0, ended.output
    return ended.output


def weights_of(path: Path) -> dict[str, bytes]:
    """Return the weights of a checkpoint, as bytes."""
    tensors = load_file(path)
    return {name: array.tobytes() for name, array in tensors.items() if name.startswith(("raw.", "average."))}
