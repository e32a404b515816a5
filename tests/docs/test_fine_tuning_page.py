"""The settings on the page about fine-tuning train a small TeaNet, and its head on old data stays what it was."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from unnp.config import from_dict
from unnp.models.checkpoint import load_potential
from unnp.train.config import TrainConfig
from unnp.train.run import train

PAGE = Path(__file__).parents[2] / "docs/fine-tuning.md"
FILE = re.compile(r"^<!-- file: (\S+) -->\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def write_frames(path: Path, symbols: list[str], zero: float) -> None:
    random, frames = np.random.default_rng(3), []
    for k in range(10):
        atoms = bulk("Cu", cubic=True, a=3.7)
        atoms.symbols[: k % 3] = symbols[0]
        atoms.positions += 0.05 * random.standard_normal((4, 3))
        atoms.calc = EMT()
        labels = {"energy": atoms.get_potential_energy() + zero * len(atoms), "forces": atoms.get_forces()}
        atoms.calc = SinglePointCalculator(atoms, **labels, stress=atoms.get_stress())
        frames.append(atoms)
    write(path, frames)


def test_the_tutorial_trains(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    write_frames(tmp_path / "old.extxyz", ["Al"], 0.0)
    write_frames(tmp_path / "new.extxyz", ["Cu"], -8.0)
    files = {name: yaml.safe_load(text) for name, text in FILE.findall(PAGE.read_text(encoding="utf-8"))}
    for name, run in (("start.yaml", "old-run"), ("tune.yaml", "new-run")):
        settings = {**files[name], "epochs": 1, "device": "cpu", "threads": 1}
        train(from_dict(settings, TrainConfig), tmp_path / run, base=tmp_path)
    old, new = (load_potential(tmp_path / run)[0] for run in ("old-run", "new-run"))
    assert [head.name for head in new.heads] == ["new", "default"]
    moved, same = (head.reference_energies["Cu"] - old.heads[0].reference_energies["Cu"] for head in new.heads)
    assert moved == pytest.approx(-8.0, abs=0.5)
    assert same == 0.0
    assert list(yaml.safe_load((tmp_path / "new-run/card.yaml").read_text())["metrics"]) == ["validation", "old"]
