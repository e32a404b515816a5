"""A run folder: one training at a time, resumed from what is there, nothing half-written where the disk is full."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from unnp.config import from_dict
from unnp.errors import ModelError, TrainingError, UnnpError
from unnp.models.checkpoint import load_checkpoint
from unnp.train.config import TrainConfig
from unnp.train.log import read_log
from unnp.train.run import train

HERE = Path(__file__).parent
FULL = Path("/dev/full")
Configuration = Callable[..., TrainConfig]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, data_files: dict[str, str]) -> Path:
    """A finished run of two epochs that keeps the best."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("runs") / "run"
    train(from_dict(settings_of(data_files, epochs=2), TrainConfig), path)
    return path


def settings_of(data_files: dict[str, str], **changes: Any) -> dict[str, Any]:
    return {
        "data": {"train": [data_files["train"]], "validation": [data_files["validation"]]},
        "potential": {"architecture": "toy"},
        "loss": {"stress": {"weight": 10.0}},
        "optimizer": {"learning_rate": 0.01, "warmup_steps": 2, "average_decay": 0.9},
        "device": "cpu",
        "threads": 1,
        "batch_size": 2,
        "keep": "best",
        **changes,
    }


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def config(data_files: dict[str, str]) -> Callable[..., TrainConfig]:
    return lambda **changes: from_dict(settings_of(data_files, **changes), TrainConfig)


def checkpoint(run: Path, name: str) -> Path:
    return run / "checkpoints" / f"{name}.safetensors"


def step_of(run: Path, name: str) -> int:
    step: int = load_checkpoint(checkpoint(run, name)).description["position"]["step"]
    return step


def epochs(run: Path) -> list[int]:
    return [record["epoch"] for record in read_log(run / "log.jsonl")]


def test_previous_is_taken_where_last_is_gone(
    config: Configuration, run: Path, original: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = tmp_path / "expected"
    shutil.copytree(original, expected)
    train(config(epochs=3), expected, resume=True)
    checkpoint(run, "last").unlink()
    assert step_of(run, "previous") == 4
    train(config(epochs=3), run, resume=True)
    assert "last.safetensors is missing. Resuming from previous.safetensors." in caplog.text
    assert epochs(run) == [1, 2, 3]
    assert len(caplog.messages) == 1
    one, other = (load_checkpoint(checkpoint(path, "last")).part("raw") for path in (expected, run))
    # The second epoch was trained again with the rates of a training of three.
    assert one.keys() == other.keys()
    assert step_of(run, "last") == 12


def test_what_was_kept_is_taken_where_it_is_the_only_one(
    config: Configuration, run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = load_checkpoint(checkpoint(run, "kept")).description["position"]["epoch"]
    for name in ("last", "previous"):
        checkpoint(run, name).unlink()
    train(config(epochs=kept + 1), run, resume=True)
    assert "last.safetensors is missing. Resuming from kept.safetensors." in caplog.text
    assert epochs(run) == list(range(1, kept + 2))


def test_without_any_checkpoint_a_log_is_not_written_over(config: Configuration, run: Path) -> None:
    shutil.rmtree(run / "checkpoints")
    before = (run / "log.jsonl").read_bytes()
    with pytest.raises(TrainingError, match="has a log of a training, but no checkpoint to go on from"):
        train(config(epochs=3), run, resume=True)
    assert (run / "log.jsonl").read_bytes() == before
    assert not (run / "checkpoints").exists()


@pytest.mark.parametrize("damage", ["gone", "cut short"])
def test_what_was_kept_and_is_lost_is_made_again(
    config: Configuration, run: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = checkpoint(run, "kept")
    content = path.read_bytes()
    path.unlink()
    if damage == "cut short":
        path.write_bytes(content[:500])
    train(config(epochs=3), run, resume=True)
    assert "The next validation makes a new kept.safetensors." in caplog.text
    assert load_checkpoint(path).description["position"]["best_epoch"] == 3


def test_a_finished_run_says_what_can_be_done(
    config: Configuration, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resolved = (run / "config.yaml").read_bytes()
    other = {"stress": {"weight": 20.0}}
    with pytest.raises(
        TrainingError, match=r"is over \(all 2 epochs are done\), so the changed loss would have no effect"
    ):
        train(config(epochs=2, loss=other), run, resume=True)
    assert (run / "config.yaml").read_bytes() == resolved
    train(config(epochs=2), run, resume=True)
    assert "all 2 epochs are done. Nothing was left to train; to go on raise that limit." in capsys.readouterr().out
    train(config(epochs=3, loss=other), run, resume=True)
    assert epochs(run) == [1, 2, 3]
    assert yaml.safe_load((run / "config.yaml").read_text())["loss"]["stress"]["weight"] == 20.0


def test_the_figures_and_the_card_come_back_without_a_log(config: Configuration, run: Path) -> None:
    for name in ("log.jsonl", "log.csv", "card.yaml", "learning-curve.png"):
        (run / name).unlink()
    train(config(epochs=2), run, resume=True)
    assert yaml.safe_load((run / "card.yaml").read_text())["training"]["steps"] == 8
    assert (run / "learning-curve.png").exists()


HOLD = """
import sys
from unnp.files.locks import hold_folder
with hold_folder(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize("resume", [False, True])
def test_a_second_training_in_a_folder_is_refused(
    config: Configuration, run: Path, tmp_path: Path, resume: bool
) -> None:
    path = run if resume else tmp_path / "new"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=pipe, stdout=pipe, text=True) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        before = {p: p.read_bytes() for p in path.rglob("*") if p.is_file()}
        with pytest.raises(UnnpError, match=f"another run is still going on in .*process {first.pid} on"):
            train(config(epochs=3), path, resume=resume)
        assert {p: p.read_bytes() for p in path.rglob("*") if p.is_file()} == before
        first.stdin.write("\n")
    train(config(epochs=3), path, resume=resume)
    assert epochs(path) == [1, 2, 3]
    assert ".lock" not in os.listdir(path)


def test_wrong_input_leaves_no_folder(config: Configuration, tmp_path: Path) -> None:
    with pytest.raises(UnnpError, match="does not exist"):
        train(config(data={"train": ["nowhere.xyz"]}), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(UnnpError, match="file already holds something else"):
        train(config(), tmp_path / "file")
    with pytest.raises(UnnpError, match=r"cannot write .*file/run: Not a directory"):
        train(config(), tmp_path / "file" / "run")


@pytest.mark.parametrize("kilobytes", [8, 20])
def test_a_full_disk_is_said_and_the_training_goes_on_with_room(
    data_files: dict[str, str], tmp_path: Path, kilobytes: int
) -> None:
    """A limit on the size of files stands for the full disk: config, checkpoint or figure does not fit."""
    file, path = tmp_path / "train.yaml", tmp_path / "run"
    file.write_text(yaml.safe_dump(settings_of(data_files, epochs=2)))
    limited = (
        "import resource, runpy, sys\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({1024 * kilobytes}, {1024 * kilobytes}))\n"
        "sys.argv = sys.argv[1:]\n"
        "sys.path.insert(0, sys.argv[0].rpartition('/')[0])\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    arguments = [str(HERE / "driver.py"), "none", "0", "train", str(file), "-o", str(path)]
    done = subprocess.run(
        [sys.executable, "-c", limited, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    assert "cannot write" in error
    assert "File too large" in error
    assert not list(path.rglob("*.part"))
    again = from_dict(settings_of(data_files, epochs=2), TrainConfig)
    if (path / "config.yaml").exists():
        train(again, path, resume=True)
    else:
        train(again, path)
    assert epochs(path) == [1, 2]


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_a_log_on_a_full_disk_is_an_error(config: Configuration, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def add_to_full(path: Path, *arguments: Any, **named: Any) -> Any:
        target = FULL if path.name == "log.csv" and "a" in arguments else path
        return open(target, *arguments, **named)

    monkeypatch.setattr(Path, "open", add_to_full)
    with pytest.raises(UnnpError, match=r"cannot write .*log\.csv: No space left"):
        train(config(epochs=3), run, resume=True)


def test_damaged_last_without_previous_is_one_line(config: Configuration, run: Path) -> None:
    checkpoint(run, "previous").unlink()
    last = checkpoint(run, "last")
    content = last.read_bytes()
    last.unlink()
    last.write_bytes(content[:-10])
    with pytest.raises(ModelError, match=r"last\.safetensors") as error:
        train(config(epochs=3), run, resume=True)
    assert "\n" not in str(error.value)
    assert logging.getLogger("unnp").level <= logging.WARNING


def test_a_folder_in_the_place_of_a_checkpoint_is_said_before_anything_is_trained(
    config: Configuration, run: Path
) -> None:
    last = checkpoint(run, "last")
    last.unlink()
    last.mkdir()
    with pytest.raises(TrainingError, match=r"last\.safetensors is no ordinary file; move it away"):
        train(config(epochs=3), run, resume=True)
