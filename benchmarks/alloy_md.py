"""Does molecular dynamics of all elements of a model at once stay where the model knows its errors?

    python benchmarks/alloy_md.py model.pt last-layer.safetensors melt16/validation -o md --atoms 2000 --steps 10000

A bcc lattice with as many atoms of each of 16 metals, in random order, melts at 3,000 K (two ranks). Of frames of the run: the
share of atoms whose deviation by the last layer is beyond 99 %, 99.9 %, or all of those of the validation structures, and the
errors against the potential that labelled the training set (`unnp eam`). A run that was ended goes on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ase
import numpy as np
import yaml
from ase.build import bulk
from ase.io import read, write
from measuring import RESULTS
from unnp import load_model
from unnp.adapters.opening import open_calculator
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.data.generation.mixture import atomic_volume
from unnp.data.opening import open_structures
from unnp.eam import write_setfl
from unnp.eam.parameters import METALS
from unnp.evaluate.last_layer import load_last_layer
from unnp.plots import write_table

EXPANDED, TEMPERATURE = 1.15, 3000
"""volume over the sum of those of the elements' crystals; temperature [K]"""
PERCENTILES = (99.0, 99.9, 100.0)


def alloy(n_atoms: int, seed: int = 0) -> ase.Atoms:
    """Return a bcc lattice of 2 n^3 atoms, the 16 metals in random order."""
    repeat = round((n_atoms / 2) ** (1 / 3))
    atoms = bulk("W", "bcc", a=3.0, cubic=True) * (repeat, repeat, repeat)
    symbols = np.resize(sorted(METALS), len(atoms))
    np.random.default_rng(seed).shuffle(symbols)
    atoms.set_chemical_symbols(symbols.tolist())
    volume = EXPANDED * sum(atomic_volume(symbol, {}) for symbol in symbols)
    atoms.set_cell(atoms.cell * (volume / atoms.get_volume()) ** (1 / 3), scale_atoms=True)
    return atoms


def run(folder: Path, model: Path, last_layer: Path, n_atoms: int, steps: int) -> Path:
    """Run `unnp md`, or what is left of it, and return its trajectory."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "alloy.extxyz", alloy(n_atoms))
    config = {
        "structure": {"file": "alloy.extxyz"},
        "potential": {"model": str(model.resolve()), "last_layer": str(last_layer.resolve())},
        "ensemble": "nvt",
        "temperature": TEMPERATURE,
        "timestep": 2.0,
        "steps": steps,
        "dump": {"every": steps // 20},
        "restart": steps // 10,
        "ranks": 2,
    }
    (folder / "md.yaml").write_text(yaml.safe_dump(config))
    out = folder / "run"
    words = ["md", str(folder / "md.yaml"), "-o", str(out), *(["--resume"] if out.exists() else [])]
    subprocess.run([sys.executable, "-m", "unnp", *words], check=True)
    return out / "trajectory.extxyz"


def judged(trajectory: Path, model: Path, last_layer: Path, validation: Path, folder: Path) -> list[dict[str, Any]]:
    """Return a row for each of six frames: shares of atoms beyond the validation structures [%], and errors."""
    potential, layer = load_model(model, "cpu"), load_last_layer(last_layer)

    def predicted(structure: Structure) -> Any:
        return layer.deviation(potential, Graph.of(structure, potential.elements, potential.manifest.cutoff))

    known = np.concatenate([predicted(s).force_deviation.numpy() for s in open_structures([validation])])
    limits = np.percentile(known, PERCENTILES)
    names = list(METALS)
    write_setfl(names, folder / "metals.eam.alloy")
    teacher = {"kind": "lammps", "elements": names, "pair_style": "eam/alloy"}
    teacher["pair_coeff"] = [f"* * metals.eam.alloy {' '.join(names)}"]
    (folder / "teacher.yaml").write_text(yaml.safe_dump(teacher))
    calculator = open_calculator(folder / "teacher.yaml")
    frames: Sequence[ase.Atoms] = read(trajectory, ":")
    rows = []
    for k in np.linspace(0, len(frames) - 1, 6).round().astype(int):
        found = predicted(Structure.from_atoms(frames[k]))
        atoms = frames[k].copy()
        atoms.calc = calculator
        error = found.forces.numpy() - atoms.get_forces()
        beyond = {
            f"beyond_{q:g}": 100 * float((found.force_deviation.numpy() > x).mean())
            for q, x in zip(PERCENTILES, limits, strict=True)
        }
        energy = 1000 * (float(found.energy) - atoms.get_potential_energy()) / len(atoms)
        rows.append(
            {
                "atoms": len(atoms),
                "frame": int(k),
                **beyond,
                "energy_error": energy,
                "forces_mae": float(np.abs(error).mean()),
            }
        )
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("last_layer", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--atoms", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--results", default="melt-16-metals", help="folder of benchmarks/results for the table")
    given = parser.parse_args()
    folder = given.output.resolve()
    trajectory = run(folder, given.model, given.last_layer, given.atoms, given.steps)
    rows = judged(trajectory, given.model, given.last_layer, given.validation, folder)
    results = RESULTS / given.results
    results.mkdir(parents=True, exist_ok=True)
    write_table(results / f"md-{given.atoms}.csv", {name: [row[name] for row in rows] for name in rows[0]})


if __name__ == "__main__":
    main()
