"""What each architecture costs: fcc Ni in LAMMPS and in training, one thread, random weights, default settings and presets."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import training_throughput
from lammps_throughput import Style, measure
from measuring import NEIGHBORS, Report, Row, isolated, memory_per_atom, model_file

TRAINING = {"threads": 1, "batch_size": 1, "steps": 4, "device": "cpu"}


def default_names() -> list[str]:
    """Return all architectures with features, with their default settings and each of their presets."""
    from unnp.models.base import Representation
    from unnp.models.registry import REGISTRY

    names = []
    for name in REGISTRY.names():
        architecture = REGISTRY.get(name)
        if issubclass(architecture, Representation):
            names += [f"{name}:{preset}" for preset in ("default", *architecture.presets)]
    return names


def describe(file: Path) -> Row:
    """Return size and reach of a model file; the neighbours are those of ``NEIGHBORS``, within 5 A, at its own cutoff."""
    from unnp.exported.archive import read_manifest

    manifest = read_manifest(file)
    neighbors = NEIGHBORS * (manifest.cutoff / 5.0) ** 3
    return {"n_parameters": manifest.n_parameters, "cutoff_A": manifest.cutoff, "neighbors": round(neighbors)}


def in_lammps(name: str, file: Path, sizes: list[int], folder: Path) -> Row:
    """Return the time of a step on one rank at the largest size, and the memory."""
    lines = f'pair_style unnp\npair_coeff * * "{file}" Ni'
    style = Style(name, lines, 10_000, timestep=1e-6)  # random weights may make forces that throw atoms out of the cell
    rows = [measure(style, n_atoms, 1, folder) for n_atoms in sizes]
    taken = {key: rows[-1][key] for key in ("us_per_atom_step_thread", "cpu_use_percent")}
    return taken | {"mb_per_atom": memory_per_atom(rows)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "models", nargs="*", help="ARCHITECTURE:PRESET, the preset 'default' or one of its own; default all"
    )
    parser.add_argument("--atoms", type=int, nargs=2, default=[256, 864])
    arguments = parser.parse_args()
    report = Report("architecture_costs", {"atoms": arguments.atoms, "threads": 1})
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.models or default_names():
            file = model_file(name, Path(folder))
            row = {"name": name, **describe(file), **in_lammps(name, file, arguments.atoms, Path(folder))}
            trained = isolated(training_throughput.__file__, {"preset": name, **TRAINING})
            row |= {"training_us_per_atom": trained.get("us_per_atom"), "note": trained.get("note", "")}
            report.add(row)


if __name__ == "__main__":
    main()
