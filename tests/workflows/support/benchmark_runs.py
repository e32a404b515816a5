"""A benchmark of `unnp benchmark` that takes seconds: copper, labelled by EMT, small networks and an EAM."""

from pathlib import Path
from typing import Any

from emt_frames import write_emt_frames

SCHNET = {"architecture": "schnet", "settings": {"cutoff": 4.0, "features": 8, "interactions": 1, "gaussians": 8}}
PAINN = {"architecture": "painn", "settings": {"cutoff": 4.0, "features": 8, "layers": 1, "radial_functions": 6}}
EAM = {"pair_style": "eam", "pair_coeff": ["* * Cu_u3.eam"]}


def write_files(folder: Path) -> None:
    """Write 8 frames for training and 3 for the test."""
    write_emt_frames(folder, {"train": 8, "test": 3}, "Cu", 3.6, 0.05)


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "data": {"train": ["train.extxyz"], "validation": 0.25, "test": ["test.extxyz"]},
        "models": {
            "SchNet": {"potential": SCHNET, "published": {"energy": 33.6}},
            "PaiNN": {"potential": PAINN, "training": {"loss": {"stress": {"weight": 10.0}}}},
            "EAM": {"peer": EAM},
        },
        "training": {"epochs": 2, "threads": 1, "loss": {"energy": {"weight": 0.5}}},
        "seeds": [0, 1],
        "cost": {"atoms": 32, "steps": 2},
        "device": "cpu",
        **changes,
    }
