"""A committee in one command: members one after the other, resumed as one, compared, and exported into one file."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.config import from_dict, load_yaml
from unnp.errors import ConfigError, ModelError, TrainingError
from unnp.evaluate.card import read_metrics
from unnp.exported.archive import read_manifest
from unnp.models.checkpoint import load_checkpoint
from unnp.train.committee import runs_of, train_committee
from unnp.train.config import TrainConfig
from unnp.train.run import train

HERE = Path(__file__).parent
Settings = Callable[..., dict[str, Any]]


def committee(settings: Settings, **changes: Any) -> TrainConfig:
    return from_dict(settings(**{"seeds": [0, 7], "epochs": 2, **changes}), TrainConfig)


@pytest.fixture(scope="module")
def trained(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished committee of the seeds 0 and 7."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("committee") / "run"
    train_committee(committee(settings), path)
    return path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    subprocess.run(["cp", "-r", trained, tmp_path / "run"], check=True)
    return tmp_path / "run"


def contents(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


def last(run: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(run / "checkpoints" / "last.safetensors").tensors


def start(how: str, step: int, config: Path, run: Path, *extra: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(HERE / "driver.py"), how, str(step), "train", str(config), "-o", str(run), *extra]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_member_is_the_training_with_its_seed(trained: Path, settings: Settings, tmp_path: Path) -> None:
    train(from_dict(settings(seed=7, epochs=2), TrainConfig), tmp_path / "alone")
    for name, tensor in last(tmp_path / "alone").items():
        assert torch.equal(tensor, last(trained / "seed-7")[name]), name
    one, other = last(trained / "seed-0"), last(trained / "seed-7")
    assert any(not torch.equal(tensor, other[name]) for name, tensor in one.items())
    resolved = yaml.safe_load((trained / "config.yaml").read_text())
    assert resolved["seeds"] == [0, 7]
    assert "seed" not in resolved
    assert load_yaml(trained / "config.yaml", TrainConfig).seeds == [0, 7]
    assert not (trained / ".lock").exists()


def test_members_are_compared_with_each_other_and_with_their_mean(trained: Path) -> None:
    with (trained / "errors.csv").open() as file:
        rows = {
            (r["member"], r["quantity"]): float(r["rmse"]) for r in csv.DictReader(file) if r["part"] == "validation"
        }
    for quantity in ("energy", "forces", "stress"):
        members = [rows[f"seed {seed}", quantity] for seed in (0, 7)]
        for seed, error in zip((0, 7), members, strict=True):
            card = read_metrics(trained / f"seed-{seed}")["validation"]["overall"]
            assert card[quantity]["rmse"] == error
        assert rows["mean", quantity] == pytest.approx(np.mean(members))
        assert rows["standard deviation", quantity] == pytest.approx(abs(members[0] - members[1]) / np.sqrt(2))
        # the error of a mean of vectors is at most the mean of their errors, and at least half of their difference
        assert abs(members[0] - members[1]) / 2 <= rows["mean prediction", quantity] <= np.mean(members) + 1e-12
    assert read_metrics(trained)["validation"]["overall"]["forces"]["rmse"] == rows["mean prediction", "forces"]
    assert (trained / "parity-validation-forces.png").exists()


def test_export_makes_one_file_of_the_folder(settings: Settings, tmp_path: Path) -> None:
    small = {"architecture": "schnet", "settings": {"cutoff": 4.0, "features": 4, "interactions": 1, "gaussians": 4}}
    run = tmp_path / "run"
    train_committee(committee(settings, potential=small, epochs=1), run)
    arguments = ["export", str(run), "-o", str(tmp_path / "m.pt")]
    result = CliRunner().invoke(build_app(), arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    manifest = read_manifest(tmp_path / "m.pt")
    assert manifest.n_members == 2
    assert manifest.metrics == read_metrics(run)
    assert runs_of(run / "seed-0") == [run / "seed-0"]
    subprocess.run(["rm", "-r", run / "seed-7"], check=True)
    with pytest.raises(ModelError, match=r"seed-7"):
        CliRunner().invoke(build_app(), arguments, catch_exceptions=False)


def test_a_resumed_committee_leaves_finished_members_and_trains_added_ones(
    run: Path, settings: Settings, tmp_path: Path
) -> None:
    before = contents(run / "seed-0") | contents(run / "seed-7")
    config = tmp_path / "committee.yaml"
    config.write_text(yaml.safe_dump(settings(seeds=[3, 0, 7], epochs=2)))
    stopped = start("SIGTERM", 3, config, run, "--resume")
    assert stopped.returncode == 75, stopped.stderr
    assert "Member 1 of 3, seed 3: " in stopped.stdout
    assert f"unnp train {config} -o {run} --resume" in stopped.stdout
    assert load_checkpoint(run / "seed-3/checkpoints/last.safetensors").description["position"]["step"] == 3
    resumed = start("none", 0, config, run, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "Member 2 of 3" not in resumed.stdout
    assert "mean prediction" in resumed.stdout
    assert contents(run / "seed-0") | contents(run / "seed-7") == before
    train(from_dict(settings(seed=3, epochs=2), TrainConfig), tmp_path / "alone")
    assert all(torch.equal(tensor, last(run / "seed-3")[name]) for name, tensor in last(tmp_path / "alone").items())
    assert len(runs_of(run)) == 3


def test_more_epochs_train_all_members_on(run: Path, settings: Settings) -> None:
    train_committee(committee(settings, epochs=3), run, resume=True)
    for seed in (0, 7):
        assert len((run / f"seed-{seed}" / "log.jsonl").read_text().splitlines()) == 3


def test_wrong_lists_of_seeds_are_refused(run: Path, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`seeds` must differ, got \[1, 1\]"):
        committee(settings, seeds=[1, 1])
    with pytest.raises(ConfigError, match="`seed` is for one training, `seeds` for a committee"):
        committee(settings, seed=1)
    for wrong in ([], [-1], [0.5], 3):
        with pytest.raises(ConfigError, match="seeds"):
            committee(settings, seeds=wrong)
    before = contents(run)
    for changes, message in (
        ({"seeds": [0]}, "holds members with the seeds 7, which `seeds` does not name"),
        ({"batch_size": 1}, "batch_size changed since"),
    ):
        with pytest.raises(TrainingError, match=message):
            train_committee(committee(settings, **changes), run, resume=True)
    with pytest.raises(TrainingError, match="already holds a training run"):
        train_committee(committee(settings), run)
    single = from_dict(settings(epochs=2), TrainConfig)
    with pytest.raises(TrainingError, match="holds a committee, but these settings have one `seed`"):
        train(single, run, resume=True)
    with pytest.raises(TrainingError, match="holds a single training, but these settings have `seeds`"):
        train_committee(committee(settings), run / "seed-0", resume=True)
    with pytest.raises(ConfigError, match="asks for a committee"):
        train(committee(settings), tmp_path / "new")
    assert contents(run) == before


def test_wrong_input_leaves_no_folder(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="does not exist"):
        train_committee(committee(settings, data={"train": ["nowhere.xyz"]}), tmp_path / "run")
    with pytest.raises(TrainingError, match="holds no run that could be resumed"):
        train_committee(committee(settings), tmp_path / "run", resume=True)
    assert list(tmp_path.iterdir()) == []


def test_all_members_hold_back_the_same_structures(
    settings: Settings, data_files: dict[str, str], tmp_path: Path
) -> None:
    data = {"train": [data_files["train"]], "validation": 0.25}
    config = committee(settings, data=data, epochs=1)
    train_committee(config, tmp_path / "run")
    rows = [(tmp_path / f"run/seed-{seed}/parity-validation-energy.csv").read_text().splitlines() for seed in (0, 7)]
    labels = [[line.split(",")[1] for line in table] for table in rows]
    assert labels[0] == labels[1]
    assert load_yaml(tmp_path / "run/seed-7/config.yaml", TrainConfig).data.split_seed == 0


def test_two_processes_train_a_committee(settings: Settings, tmp_path: Path) -> None:
    config = tmp_path / "committee.yaml"
    config.write_text(yaml.safe_dump(settings(seeds=[0, 7], epochs=1, batch_size=1)))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [str(HERE / "driver.py"), "none", "0", "train", str(config), "-o", str(tmp_path / "run")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("2 process(es)") == 2
    assert done.stdout.count("Member 2 of 2, seed 7") == 1
    assert len((tmp_path / "run/errors.csv").read_text().splitlines()) == 1 + 5 * 3
