"""``unnp train`` from a file of settings to a run folder."""

from pathlib import Path

import numpy as np
import yaml
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from typer.testing import CliRunner
from unnp import cli

runner = CliRunner()


def test_train(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frames = []
    for _ in range(4):
        atoms = bulk("Cu", cubic=True)
        atoms.positions += 0.1 * random.standard_normal((4, 3))
        atoms.calc = EMT()
        labels = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
        atoms.calc = SinglePointCalculator(atoms, **labels)
        frames.append(atoms)
    write(tmp_path / "cu.extxyz", frames)
    config = tmp_path / "train.yaml"
    small = {"layer_cutoffs": [3.0], "scalars": 4, "vectors": 2, "tensors": 2}
    potential = {"architecture": "teanet", "settings": small}
    config.write_text(
        yaml.safe_dump({"data": {"train": ["cu.extxyz"], "validation": 0.25}, "potential": potential, "epochs": 5})
    )
    run = tmp_path / "run"
    arguments = ["train", str(config), "-o", str(run), "--set", "epochs=2"]
    result = runner.invoke(cli.build_app(), arguments)
    assert result.exit_code == 0, result.output
    assert "teanet for Cu" in result.output
    assert result.output.count("epoch ") >= 2
    assert "Errors on the validation structures" in result.output
    resolved = yaml.safe_load((run / "config.yaml").read_text())
    assert resolved["epochs"] == 2
    assert resolved["data"]["train"] == ["../cu.extxyz"]
    again = runner.invoke(cli.build_app(), arguments)
    assert again.exit_code != 0
    assert "already holds a training run" in str(again.exception)
    resumed = runner.invoke(
        cli.build_app(), ["train", str(run / "config.yaml"), "-o", str(run), "--resume", "--set", "epochs=3"]
    )
    assert resumed.exit_code == 0, resumed.output
    assert len((run / "log.jsonl").read_text().splitlines()) == 3
