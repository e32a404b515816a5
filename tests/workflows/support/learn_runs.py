"""A loop of `unnp learn` that takes seconds: a pool of aluminium, labelled by EMT, and committees of two small SchNets."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from unnp.config import from_dict
from unnp.workflows.learn.config import LearnConfig

SCHNET = {"architecture": "schnet", "settings": {"cutoff": 4.0, "features": 4, "interactions": 1, "gaussians": 6}}


def write_files(folder: Path) -> None:
    """Write a pool of 20 frames and a test set of 3."""
    random = np.random.default_rng(0)
    for part, n in (("pool", 20), ("test", 3)):
        frames = []
        for _ in range(n):
            atoms = bulk("Al", cubic=True, a=4.05 + 0.1 * random.standard_normal())
            atoms.positions += 0.1 * random.standard_normal((4, 3))
            atoms.calc = EMT()
            labels = {
                "energy": atoms.get_potential_energy(),
                "forces": atoms.get_forces(),
                "stress": atoms.get_stress(),
            }
            atoms.calc = SinglePointCalculator(atoms, **labels)
            frames.append(atoms)
        write(folder / f"{part}.extxyz", frames)


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "propose": {"pool": {"kind": "pool", "data": ["pool.extxyz"]}},
        "start": {"random": 4},
        "select": {"kind": "deviation", "sigmas": 1.0, "over": "all", "most": 3},
        "train": {"data": {"validation": 0.3}, "potential": SCHNET, "epochs": 2, "batch_size": 4},
        "members": 2,
        "judge": {
            "pool": {"kind": "pool"},
            "test": {"kind": "files", "data": ["test.extxyz"]},
            "new": {"kind": "new"},
        },
        "stop": {"rounds": 1},
        "executor": {"kind": "here"},
        "device": "cpu",
        **changes,
    }


def config(**changes: Any) -> LearnConfig:
    return from_dict(settings(**changes), LearnConfig)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))
