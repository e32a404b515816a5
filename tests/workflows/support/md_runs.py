"""Runs of `unnp md` that take a second: aluminium in an embedded-atom potential."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from unnp.config import from_dict
from unnp.workflows.md.config import MdConfig

EAM = {"pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs {elements}"]}
CRYSTAL = {"element": "Al", "lattice": "fcc", "a": 4.05, "repeat": [2, 2, 2]}
BASE = {"structure": CRYSTAL, "potential": EAM, "ensemble": "nve", "temperature": 600, "steps": 200, "thermo": 20}


def make(**settings) -> MdConfig:
    return from_dict({**BASE, **settings}, MdConfig)


def table(folder: Path) -> np.ndarray:
    return np.genfromtxt(folder / "thermo.csv", delimiter=",", names=True)
