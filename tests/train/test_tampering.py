"""Checkpoints, logs and cards whose content was changed: a clear error, or the right result, never anything else."""

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import save_file
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.errors import ModelError, UnnpError
from unnp.evaluate.card import read_metrics
from unnp.models.checkpoint import Checkpoint, load_checkpoint, load_potential, save_checkpoint
from unnp.train import run as run_module
from unnp.train.config import TrainConfig
from unnp.train.console import SilentConsole
from unnp.train.distributed import Processes
from unnp.train.run import train
from unnp.train.run_folder import RunFolder
from unnp.train.signals import StopRequest
from unnp.train.state import SUMMED
from unnp.train.trainer import Trainer

WRONG_VALUES: list[Any] = [None, True, -1, 10**9, 1e300, "x", [], [1], {}, {"x": 1}, [[]] * 3]
COUNTERS = ("epoch", "batch", "step", "seconds", "best_loss", "best_epoch", "validations_since_best")
Configuration = Callable[..., TrainConfig]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, data_files: dict[str, str]) -> tuple[TrainConfig, Path]:
    """A run that stopped after two of three epochs: a checkpoint that a training goes on from."""
    torch.set_num_threads(1)
    config = TrainConfig.model_validate(
        {
            "data": {"train": [data_files["train"]], "validation": [data_files["validation"]]},
            "potential": {"architecture": "toy"},
            "loss": {"stress": {"weight": 10.0}},
            "device": "cpu",
            "threads": 1,
            "epochs": 2,
        }
    )
    run = tmp_path_factory.mktemp("runs") / "run"
    train(config, run)
    return config.model_copy(update={"epochs": 3}), run


@pytest.fixture
def run(finished: tuple[TrainConfig, Path], tmp_path: Path) -> Path:
    """A copy of the run, to be damaged; the tampered files are its own, not links to the original."""
    shutil.copytree(finished[1], tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def resume(finished: tuple[TrainConfig, Path]) -> Callable[[Checkpoint], Trainer]:
    """A function that makes the trainer of the run go on from a checkpoint."""
    config, path = finished
    task, _ = run_module._task(config, ".", Processes(), torch.device("cpu"))

    def go_on(checkpoint: Checkpoint) -> Trainer:
        trainer = Trainer(task, RunFolder(path), SilentConsole(), StopRequest())
        trainer.resume(checkpoint)
        return trainer

    return go_on


def last_of(finished: tuple[TrainConfig, Path]) -> Checkpoint:
    return load_checkpoint(finished[1] / "checkpoints" / "last.safetensors")


def tensor_mutants(tensor: torch.Tensor) -> Iterator[tuple[str, torch.Tensor | None]]:
    yield "missing", None
    yield "longer", torch.cat([tensor.reshape(-1), tensor.reshape(-1)[:1]])
    yield "empty", tensor.reshape(-1)[:0]
    yield "with an axis more", tensor.unsqueeze(0)
    yield "of another number type", tensor.half() if tensor.is_floating_point() else tensor.double()
    yield "whole numbers", tensor.long()
    if tensor.is_floating_point():
        for value in (float("nan"), float("inf")):
            spoilt = tensor.clone()
            spoilt.view(-1)[0] = value
            yield f"with {value}", spoilt


def test_every_tensor_is_checked_before_a_training_goes_on(
    finished: tuple[TrainConfig, Path], resume: Callable[[Checkpoint], Trainer]
) -> None:
    original = last_of(finished)
    n_tried = 0
    for name, tensor in original.tensors.items():
        for how, mutant in tensor_mutants(tensor):
            tensors = {**original.tensors, name: mutant} if mutant is not None else dict(original.tensors)
            if mutant is None:
                del tensors[name]
            with pytest.raises(ModelError) as error:
                resume(Checkpoint(original.description, tensors))
            assert "\n" not in str(error.value), (name, how)
            n_tried += 1
    assert n_tried > 150
    assert resume(original).state.position.step == original.description["position"]["step"]


def test_terms_of_the_loss_may_come_and_go(
    finished: tuple[TrainConfig, Path], resume: Callable[[Checkpoint], Trainer]
) -> None:
    """The sums of the running epoch are kept by name: another plugin, or a later version, has other terms."""
    original = last_of(finished)
    summed = [name for name in original.description["summed"] if name != "charges"] + ["spin"]
    tensors = {**original.tensors, "sums.spin": torch.tensor(3.0, dtype=torch.float64)}
    del tensors["sums.charges"]
    tensors["sums.forces"] = torch.tensor(7.0, dtype=torch.float64)
    state = resume(Checkpoint({**original.description, "summed": summed}, tensors)).state
    assert dict(zip(SUMMED, state.sums.tolist(), strict=True))["forces"] == 7.0
    for wrong in (None, [], "loss", ["forces"], ["loss", 3]):
        with pytest.raises(ModelError, match="does not say what its sums are of"):
            resume(Checkpoint({**original.description, "summed": wrong}, original.tensors))


def test_optimizer_state_that_cannot_be(
    finished: tuple[TrainConfig, Path], resume: Callable[[Checkpoint], Trainer]
) -> None:
    original = last_of(finished)
    for name in ("optimizer.0.step", "optimizer.0.exp_avg_sq"):
        tensors = {**original.tensors, name: original.tensors[name] - 1.0}
        with pytest.raises(ModelError, match=f"cannot be right: {name.removeprefix('optimizer.')}"):
            resume(Checkpoint(original.description, tensors))
    without = {name: tensor for name, tensor in original.tensors.items() if not name.startswith("optimizer")}
    with pytest.raises(ModelError, match="optimizer tensors of the checkpoint do not fit: they lack"):
        resume(Checkpoint(original.description, without))
    tensors = {**original.tensors, "raw.unknown": torch.zeros(1)}
    with pytest.raises(ModelError, match="have unknown unknown"):
        resume(Checkpoint(original.description, tensors))
    random = {**original.tensors, "random.cpu": torch.full_like(original.tensors["random.cpu"], 255)}
    with pytest.raises(ModelError, match="random numbers"):
        resume(Checkpoint(original.description, random))


@pytest.mark.parametrize("counter", COUNTERS)
def test_every_counter_is_checked(
    finished: tuple[TrainConfig, Path], resume: Callable[[Checkpoint], Trainer], counter: str
) -> None:
    original = last_of(finished)
    assert set(original.description["position"]) == set(COUNTERS)
    harmless = {"seconds": [10**9, 1e300, -1], "best_loss": [-1, 10**9, 1e300]}
    for value in WRONG_VALUES:
        position = {**original.description["position"], counter: value}
        description = {**original.description, "position": position}
        if value in harmless.get(counter, []) and not isinstance(value, bool) and value != -1:
            continue  # any time, any loss
        if counter == "best_loss" and value == -1:
            continue
        with pytest.raises(ModelError, match="counters of the checkpoint") as error:
            resume(Checkpoint(description, original.tensors))
        assert "\n" not in str(error.value)
    lacking = {k: v for k, v in original.description["position"].items() if k != counter}
    with pytest.raises(ModelError, match=f"lack {counter}"):
        resume(Checkpoint({**original.description, "position": lacking}, original.tensors))


def test_every_part_of_the_description(
    finished: tuple[TrainConfig, Path], resume: Callable[[Checkpoint], Trainer], tmp_path: Path
) -> None:
    original = last_of(finished)
    harmless = {"settings", "versions", "dtype"}  # not needed to go on; the configuration says them
    path = tmp_path / "x.safetensors"
    for key in original.description:
        for value in [*WRONG_VALUES, "missing"]:
            description = {k: v for k, v in original.description.items() if k != key}
            description |= {} if value == "missing" else {key: value}
            checkpoint = Checkpoint(description, original.tensors)
            if key in harmless or (
                key == "stress_offset" and value == {}
            ):  # {}: none is taken off, as in this training
                resume(checkpoint)
            else:
                with pytest.raises(UnnpError):
                    resume(checkpoint)
            save_checkpoint(path, checkpoint)
            if key in ("potential", "dtype"):
                with pytest.raises(ModelError, match=r"x\.safetensors") as error:
                    load_potential(path)
                assert "\n" not in str(error.value)
            else:
                load_potential(path)


def test_every_setting_of_the_potential(finished: tuple[TrainConfig, Path], tmp_path: Path) -> None:
    original, path = last_of(finished), tmp_path / "x.safetensors"
    potential = original.description["potential"]
    places = [(key,) for key in potential] + [("settings", key) for key in potential["settings"]]
    places += [("heads", 0, key) for key in potential["heads"][0]]
    for *outer, key in places:
        for value in [*WRONG_VALUES, "missing"]:
            description = copy.deepcopy(original.description)
            table = description["potential"]
            for step in outer:
                table = table[step]
            table.pop(key)
            if value != "missing":
                table[key] = value
            save_checkpoint(path, Checkpoint(description, original.tensors))
            outcome = outcome_of(path)
            assert "\n" not in outcome, (key, value)
            if not outcome:  # what is left out has its default; lengths, scales and names may be any
                defaults = {
                    "settings": {},
                    "width": "missing",
                    "longest": "missing",
                    "add": {},
                    "groups": [],
                    "outputs": [],
                    "closest": [],
                }
                lengths = {"longest": (10**9, 1e300, True, -1), "energy_scale": (10**9, 1e300), "name": ("x",)}
                assert defaults.get(key) == value or value in lengths.get(key, ()), (key, value)


def outcome_of(path: Path) -> str:
    """Return why no potential is loaded; empty where one is."""
    try:
        load_potential(path)
    except ModelError as error:
        return str(error)
    return ""


def test_one_flipped_bit_is_noticed(run: Path, tmp_path: Path) -> None:
    path = run / "checkpoints" / "kept.safetensors"
    whole = path.read_bytes()
    path.unlink()
    n_noticed = 0
    for position in range(8, len(whole), len(whole) // 60):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :])
        with pytest.raises(ModelError) as error:
            load_checkpoint(path)
        n_noticed += "its checksum is not that of its content" in str(error.value)
    assert n_noticed > 30
    result = CliRunner().invoke(build_app(), ["export", str(run), "-o", str(tmp_path / "m.pt")])
    assert isinstance(result.exception, ModelError)
    assert not (tmp_path / "m.pt").exists()


def test_tensors_saved_anew_with_other_values_are_noticed(run: Path) -> None:
    path = run / "checkpoints" / "last.safetensors"
    with safe_open(path, "pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    path.unlink()
    for change in (
        {"average.energy_heads.0.network.0.bias": tensors["average.energy_heads.0.network.0.bias"] + 1e-6},
        {"raw.energy_heads.0.network.0.bias": tensors["raw.energy_heads.0.network.0.bias"].double()},
        {"more": torch.zeros(1)},
    ):
        save_file({**tensors, **change}, path, metadata=metadata)
        with pytest.raises(ModelError, match="checksum"):
            load_checkpoint(path)
    save_file(tensors, path, metadata={"unnp": metadata["unnp"]})
    with pytest.raises(ModelError, match="checksum"):
        load_checkpoint(path)
    save_file(tensors, path, metadata=metadata)
    load_checkpoint(path)


@pytest.mark.parametrize("version", [0, -1, 1, True, "2", 2.0, None, 10**30])
def test_versions_that_are_none(run: Path, version: Any) -> None:
    path = run / "checkpoints" / "last.safetensors"
    path.unlink()
    head = {"format": "unnp-checkpoint", "format_version": version}
    save_file({"w": torch.zeros(2)}, path, metadata={"unnp": json.dumps(head)})
    with pytest.raises(ModelError, match=r"checkpoint format|no checkpoint of unnp"):
        load_checkpoint(path)


def test_a_description_that_is_nested_too_deeply(tmp_path: Path) -> None:
    save_file({"w": torch.zeros(2)}, tmp_path / "x.safetensors", metadata={"unnp": "[" * 100_000})
    with pytest.raises(ModelError, match="no checkpoint of unnp"):
        load_checkpoint(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    "damage",
    [
        b"\xff\xfe\x00",
        b"[" * 5000,
        b"{}",
        b'{"epoch": "2"}',
        b'{"epoch": 1, "loss": "x"}',
        b'{"epoch": 1, "loss": NaN}',
    ],
)
def test_a_damaged_line_of_the_log_is_left_out(
    finished: tuple[TrainConfig, Path], run: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    lines = (run / "log.jsonl").read_bytes().splitlines()
    (run / "log.jsonl").write_bytes(b"\n".join([damage, *lines[1:], b""]))
    train(finished[0], run, resume=True)
    assert "log.jsonl line 1 is damaged and is left out" in caplog.text
    assert [json.loads(line)["epoch"] for line in (run / "log.jsonl").read_text().splitlines()] == [2, 3]
    assert yaml.safe_load((run / "card.yaml").read_text())["training"]["epochs"] == 3


@pytest.mark.parametrize(
    "card",
    [
        b"\xff\xfe", b"metrics: [1", b"- 1", b"metrics: 5", b"metrics: {validation: 3}", b"metrics: {validation: {}}",
        b"metrics: {validation: {overall: {energy: {mae: .nan, rmse: 1}}, groups: {}, elements: {}}}",
        b"metrics: {validation: {overall: {energy: 2020-01-01}, groups: {}, elements: {}}}",
    ],
)  # fmt: skip
def test_the_errors_of_a_damaged_card_are_left_out(run: Path, card: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert read_metrics(run)["validation"]["overall"]["energy"]["mae"] > 0
    (run / "card.yaml").write_bytes(card)
    assert read_metrics(run) == {}
    assert "card.yaml is damaged" in caplog.text
    assert len(caplog.messages) == 1
