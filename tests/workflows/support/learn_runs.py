"""A loop of `unnp learn` that takes seconds: a pool of aluminium, labelled by EMT, and committees of two small SchNets."""

import csv
from pathlib import Path
from typing import Any

import yaml
from emt_frames import write_emt_frames
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.config import from_dict
from unnp.workflows.learn.config import LearnConfig

SCHNET = {"architecture": "schnet", "settings": {"cutoff": 4.0, "features": 4, "interactions": 1, "gaussians": 6}}


def write_files(folder: Path) -> None:
    """Write a pool of 20 frames and a test set of 3."""
    write_emt_frames(folder, {"pool": 20, "test": 3}, "Al", 4.05, 0.1)


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


def finished_loop(files: Path, folder: Path) -> tuple[Path, str]:
    """Run a loop of two committees on the files, and return its folder and what it printed."""
    (files / "learn.yaml").write_text(yaml.safe_dump(settings()))
    result = CliRunner().invoke(build_app(), ["learn", str(files / "learn.yaml"), "-o", str(folder)])
    assert result.exit_code == 0, result.output
    return folder, result.output


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))
