"""Melting point of a model from the frames of another potential's MOMT run, by reweighting.

    python benchmarks/melting_shift.py ni108 model.pt --results melting.json

The frames of ``unnp sample momt`` carry weights w, which make averages over them averages at T0 of the potential that made
them. With the model's energies U' beside its own U, the weights of the model at T are

    w' = w exp(-(b - b0) H - b (U' - U)),    b = 1 / k T,

and it melts where the weights of the frames on both sides of the dividing order are the same. This is exact as far as the
frames reach where the model would go: U' - U has to spread by no more than a few k T.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.io import read as ase_read
from ase.units import kB
from unnp.adapters.opening import open_calculator
from unnp.config.base import read_yaml
from unnp.data.progress import counting

BLOCKS, REPLICAS = 20, 200


@dataclass(frozen=True)
class Frames:
    """Energies [eV], enthalpies [eV], order and weights of frames, in the order in which they were visited."""

    own: np.ndarray
    other: np.ndarray
    enthalpy: np.ndarray
    order: np.ndarray
    weight: np.ndarray
    n_atoms: int

    def taken(self, rows: np.ndarray) -> Frames:
        arrays = (self.own, self.other, self.enthalpy, self.order, self.weight)
        return Frames(*(array[rows] for array in arrays), self.n_atoms)


def read(path: Path, model: Path, every: int) -> Frames:
    """Read frames, and compute the model's energies of them."""
    calculator, rows, visited = open_calculator(model), [], ase_read(path, f"::{every}")
    with counting("frames", len(visited)) as advance:
        for atoms in visited:
            own = atoms.get_potential_energy()
            atoms.calc = calculator
            rows.append([own, atoms.get_potential_energy(), *(float(atoms.info[key]) for key in ("H", "s", "weight"))])
            advance()
    return Frames(*np.array(rows).T, len(visited[0]))


def melting_point(frames: Frames, t0: float, dividing: float, difference: np.ndarray) -> float:
    """Return where solid and liquid have the same weight [K]; nan where they nowhere have."""
    temperatures = np.linspace(0.85 * t0, 1.2 * t0, 400)
    b = 1 / (kB * temperatures[:, None])
    logs = np.log(frames.weight) - (b - 1 / (kB * t0)) * frames.enthalpy - b * difference
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    solid = frames.order > dividing
    ratio = np.log(weights[:, ~solid].sum(axis=1) / weights[:, solid].sum(axis=1))
    crossed = np.nonzero((ratio[:-1] < 0) & (ratio[1:] >= 0))[0]
    if not len(crossed):
        return float("nan")
    k = crossed[0]
    return float(np.interp(0, ratio[k : k + 2], temperatures[k : k + 2]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of `unnp sample momt`, with frames and a melting point")
    parser.add_argument("model", type=Path)
    parser.add_argument("--every", type=int, default=4, help="take every n-th frame")
    parser.add_argument("--results", type=Path, help="write them as JSON")
    arguments = parser.parse_args()
    t0 = float(read_yaml(arguments.run / "momt.yaml")["temperature"])
    teacher = json.loads((arguments.run / "summary.json").read_text())["analysis"]["melting"]
    dividing = teacher["dividing_order"]
    frames = read(arguments.run / "frames.extxyz", arguments.model, arguments.every)
    parts, generator = np.array_split(np.arange(len(frames.own)), BLOCKS), np.random.default_rng(0)
    drawn = [np.concatenate([parts[k] for k in generator.integers(0, BLOCKS, BLOCKS)]) for _ in range(REPLICAS)]

    def both(given: Frames) -> tuple[float, float]:
        difference = given.other - given.own
        return tuple(melting_point(given, t0, dividing, each) for each in (0 * difference, difference))  # type: ignore[return-value]

    own, other = both(frames)
    replicas = np.array([both(frames.taken(rows)) for rows in drawn])
    difference = (frames.other - frames.own) / frames.n_atoms
    result = {
        "run_K": teacher["temperature"],
        "frames": len(frames.own),
        "own_K": own,
        "model_K": other,
        "shift_K": other - own,
        "shift_error_K": float(np.nanstd(replicas[:, 1] - replicas[:, 0])),
        "model_error_K": float(np.nanstd(replicas[:, 1])),
        "energy_difference_std_meV_per_atom": 1e3 * float(difference.std()),
    }
    print(json.dumps(result, indent=1))
    if arguments.results:
        arguments.results.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
