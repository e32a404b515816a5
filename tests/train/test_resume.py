"""A training that is interrupted and resumed is, bit for bit, the training that was not."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from unnp.config import from_dict
from unnp.errors import ModelError, TrainingError
from unnp.models.checkpoint import load_checkpoint
from unnp.train import levels
from unnp.train.config import TrainConfig
from unnp.train.run import train

pytestmark = pytest.mark.long

HERE = Path(__file__).parent
Settings = Callable[..., dict[str, Any]]


def start(how: str, step: int, config: Path, run: Path, *extra: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(HERE / "driver.py"), how, str(step), "train", str(config), "-o", str(run), *extra]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def records(run: Path) -> list[dict[str, Any]]:
    lines = (run / "log.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "minutes"} for line in lines]


def assert_same(one: Path, other: Path) -> None:
    for name in ("last", "kept"):
        a, b = (load_checkpoint(run / "checkpoints" / f"{name}.safetensors") for run in (one, other))
        assert a.tensors.keys() == b.tensors.keys()
        for key in a.tensors:
            assert torch.equal(a.tensors[key], b.tensors[key]), key
        for position in (a.description["position"], b.description["position"]):
            position.pop("seconds")
        assert a.description["position"] == b.description["position"]
    assert records(one) == records(other)
    assert len((one / "log.csv").read_text().splitlines()) == len((other / "log.csv").read_text().splitlines())


@pytest.fixture
def whole(settings: Settings, tmp_path: Path) -> tuple[Path, Path]:
    """A configuration file and the run folder of its training without interruption."""
    loss = {"forces": {"schedule": [[0.8, 3.0]]}, "stress": {"weight": 10.0, "offset": "fit"}}
    content = settings(tied_epochs=1, loss=loss)
    config, run = tmp_path / "train.yaml", tmp_path / "whole"
    config.write_text(yaml.safe_dump(content))
    train(from_dict(content, TrainConfig), run)
    return config, run


def resume(config: Path, run: Path) -> None:
    train(from_dict(yaml.safe_load(config.read_text()), TrainConfig), run, resume=True)


@pytest.mark.parametrize("step", [2, 7])
def test_sigterm_writes_a_checkpoint_and_says_so(whole: tuple[Path, Path], tmp_path: Path, step: int) -> None:
    config, run = whole[0], tmp_path / "interrupted"
    result = start("SIGTERM", step, config, run)
    assert result.returncode == 75, result.stderr
    assert "--resume" in result.stdout
    position = load_checkpoint(run / "checkpoints" / "last.safetensors").description["position"]
    assert position["step"] == step
    resume(config, run)
    assert_same(whole[1], run)


@pytest.mark.parametrize(("step", "minutes", "saved"), [(7, 5.0, 4), (7, 1e-9, 6), (3, 5.0, None)])
def test_kill_loses_only_what_came_after_the_last_checkpoint(
    whole: tuple[Path, Path], tmp_path: Path, step: int, minutes: float, saved: int | None
) -> None:
    config, run = whole[0], tmp_path / "killed"
    result = start("SIGKILL", step, config, run, "--set", f"checkpoint_minutes={minutes}")
    assert result.returncode == -9
    last = run / "checkpoints" / "last.safetensors"
    if saved is None:
        assert not last.exists()
    else:
        assert load_checkpoint(last).description["position"]["step"] == saved
    resume(config, run)
    assert_same(whole[1], run)


def test_resume_needs_a_run_with_the_same_settings(
    whole: tuple[Path, Path], settings: Settings, tmp_path: Path
) -> None:
    config, run = whole
    with pytest.raises(TrainingError, match=r"no config\.yaml"):
        train(from_dict(settings(), TrainConfig), tmp_path / "nowhere", resume=True)
    with pytest.raises(TrainingError, match=r"seed changed since .* Restore them, or name another folder with -o"):
        train(from_dict(settings(tied_epochs=1, seed=5), TrainConfig), run, resume=True)
    with pytest.raises(TrainingError, match=r"already holds a training run.*--resume"):
        train(from_dict(settings(), TrainConfig), run)
    assert len(records(run)) == 3
    more = from_dict({**yaml.safe_load(config.read_text()), "epochs": 4}, TrainConfig)
    train(more, run, resume=True)
    assert [record["epoch"] for record in records(run)] == [1, 2, 3, 4]


def test_changed_data_are_noticed(settings: Settings, tmp_path: Path, data_files: dict[str, str]) -> None:
    copy = tmp_path / "train.extxyz"
    text = Path(data_files["train"]).read_text()
    copy.write_text(text)
    content = settings(epochs=1)
    content["data"]["train"] = [str(copy)]
    train(from_dict(content, TrainConfig), tmp_path / "run")
    copy.write_text("\n".join(text.splitlines()[:-6]) + "\n")
    with pytest.raises(TrainingError, match="data files have changed"):
        train(from_dict(content, TrainConfig), tmp_path / "run", resume=True)


def test_a_damaged_checkpoint_falls_back_to_the_previous_one(
    whole: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config, run = whole
    last = run / "checkpoints" / "last.safetensors"
    content = last.read_bytes()
    last.unlink()
    last.write_bytes(content[: len(content) // 2])
    expected = records(run)
    resume(config, run)
    assert "previous.safetensors" in caplog.text
    assert records(run) == expected
    for name in ("last", "previous"):
        path = run / "checkpoints" / f"{name}.safetensors"
        path.unlink()
        path.write_bytes(content[:100])
    with pytest.raises(ModelError, match="truncated"):
        resume(config, run)


@pytest.mark.parametrize(("share", "goes_on"), [(1e-12, True), (1e-3, False)])
def test_last_digits_of_what_another_machine_fits_are_no_change(
    share: float, goes_on: bool, whole: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, run = whole
    fit = levels.reference_energies
    monkeypatch.setattr(
        levels, "reference_energies", lambda *given: {name: e * (1 + share) for name, e in fit(*given).items()}
    )
    with nullcontext() if goes_on else pytest.raises(TrainingError, match="data files have changed"):
        resume(config, run)
    assert len(records(run)) == 3
