"""The verbs that work for a while and can be gone on with: their input, their commands, and the answer that counts."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from toys import CRYSTAL, EAM, LABELLER, TRAIN, weights_of, write_frames
from unnp.sampling.samples import read_samples

OUTPUT = "run"
LABELS = "labels"


@dataclass(frozen=True)
class Run:
    """A verb at work.

    Attributes:
        start: its command line.
        resume: that goes on where it was stopped.
        files: input of YAML, by name.
        answer: what the finished output folder says; numbers, texts and bytes.
        tolerance: of numbers in it, relative: a run that goes on sums in another order.
        output: the folder.
    """

    start: tuple[str, ...]
    resume: tuple[str, ...]
    files: dict[str, Any]
    answer: Callable[[Path], Any]
    tolerance: float = 0.0
    output: str = OUTPUT

    def prepare(self, folder: Path, store: Path | None = None) -> Path:
        """Write the input into a folder, with a copy of the store that a training needs; return the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            (folder / name).write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        if "train" in self.start and store is not None:
            shutil.copytree(store, folder / "data")
        if "label" in self.start:
            write_frames(folder / "frames.extxyz", 60, labelled=False, copper=False)
        return folder


def _table(path: Path) -> dict[str, Any]:
    rows = np.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="utf-8")
    return {name: rows[name].tolist() for name in rows.dtype.names}


def _md(folder: Path) -> Any:
    thermo = _table(folder / "thermo.csv")
    parts = [path.read_text() for path in folder.glob("trajectory*.extxyz") if path.is_file()]  # one for each start
    frames = {step for part in parts for step in re.findall(r"^Timestep=(\d+)", part, re.MULTILINE)}
    return {"step": thermo["step"], "energy": thermo["potential_energy_eV"], "frames": sorted(frames)}


def _ramp(folder: Path) -> Any:
    table = _table(folder / "ramp.csv")
    return {name: table[name] for name in ("target_K", "temperature_K", "potential_energy_eV_per_atom")}


def _momt(folder: Path) -> Any:
    samples = read_samples(sorted((folder / "production").glob("momt.*.log")))
    return {"frames": (folder / "frames.extxyz").read_text(), "bias": samples.bias.tobytes(), "rows": len(samples.bias)}


def _melt(folder: Path) -> Any:
    routes = json.loads((folder / "report.json").read_text())["routes"]
    return {name: list(route["melting_point_K"].values()) for name, route in routes.items()}


def _train(folder: Path) -> Any:
    return [weights_of(folder / f"checkpoints/{name}.safetensors") for name in ("last", "kept")]


def _labels(folder: Path) -> Any:
    return {name: np.load(folder / f"{name}.npy").tobytes() for name in ("energy", "forces", "stress", "positions")}


COMMON = {"potential": EAM, "structure": CRYSTAL, "launcher": ""}
MD = COMMON | {
    "temperature": 300,
    "steps": 12000,
    "thermo": 100,
    "dump": {"every": 1000},
    "restart": 500,
}
RAMP = COMMON | {
    "structure": {**CRYSTAL, "repeat": [3, 3, 3]},
    "temperatures": [300, 1800, 300],
    "rate": 400,
    "bin": 200,
    "stride": 10,
    "equilibration": 0.5,
}
MOMT = {
    "potential": EAM,
    "structure": CRYSTAL,
    "temperatures": [650, 1400],
    "stages": {"observe": 1, "adapt": {"min": 2, "max": 2}, "production": {"min": 4, "max": 4}, "chunk": 1},
    "frames": {"wanted": 20},
    "walkers": 2,
}
MELT = {
    "structure": {"element": "Al", "lattice": "fcc", "a": 4.1},
    "potential": EAM,
    "temperatures": [750, 930],
    "routes": ["coexistence"],
    "cell": {
        "atoms": 432,
        "repeat": [3, 3, 12],
        "equilibration": 0.8,
        "averaging": 0.8,
        "melting": 1.6,
        "cooling": 1.2,
    },
    "coexistence": {"duration": 4, "rounds": 1},
    "launcher": "",
}

RUNS = {
    "train": Run(
        ("train", "train.yaml", "-o", OUTPUT),
        ("train", "train.yaml", "-o", OUTPUT, "--resume"),
        {"train.yaml": TRAIN.replace("epochs: 3", "epochs: 12")},
        _train,
    ),
    "data label": Run(
        ("data", "label", "frames.extxyz", "-c", "al.yaml", "-o", LABELS, "--workers", "2"),
        ("data", "label", "frames.extxyz", "-c", "al.yaml", "-o", LABELS, "--workers", "2"),
        {"al.yaml": LABELLER},
        _labels,
        output=LABELS,
    ),
    "sample momt": Run(
        ("sample", "momt", "momt.yaml", "-o", OUTPUT),
        ("sample", "momt", "momt.yaml", "-o", OUTPUT, "--resume"),
        {"momt.yaml": MOMT},
        _momt,
    ),
    "md": Run(
        ("md", "md.yaml", "-o", OUTPUT),
        ("md", "md.yaml", "-o", OUTPUT, "--resume"),
        {"md.yaml": MD},
        _md,
        tolerance=0.1,  # chaos: after some thousand steps the trajectories are not the same
    ),
    "ramp": Run(
        ("ramp", "ramp.yaml", "-o", OUTPUT),
        ("ramp", "ramp.yaml", "-o", OUTPUT, "--resume"),
        {"ramp.yaml": RAMP},
        _ramp,
        tolerance=0.3,
    ),
    "melt": Run(
        ("melt", "melt.yaml", "-o", OUTPUT),
        ("melt", "melt.yaml", "-o", OUTPUT, "--resume"),
        {"melt.yaml": MELT},
        _melt,
    ),
}


def agree(ours: Any, theirs: Any, tolerance: float) -> bool:
    """Return whether two answers are the same, numbers within a relative tolerance."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(agree(ours[k], theirs[k], tolerance) for k in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(agree(a, b, tolerance) for a, b in zip(ours, theirs, strict=True))
    if isinstance(ours, float) and isinstance(theirs, float):
        return abs(ours - theirs) <= tolerance * max(abs(ours), abs(theirs)) or ours != ours != theirs != theirs
    return bool(ours == theirs)
