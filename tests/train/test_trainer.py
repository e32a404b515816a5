"""What a training leaves, and the ways in which it ends."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from ase.io import read, write
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.data.opening import open_structures
from unnp.derivatives import predict
from unnp.errors import ConfigError, DataError, TrainingError
from unnp.models import architecture
from unnp.models.checkpoint import load_checkpoint, load_potential, save_checkpoint
from unnp.train.building import build
from unnp.train.config import TrainConfig
from unnp.train.datasets import open_sources
from unnp.train.run import train
from unnp.train.trainer import Trainer

Configuration = Callable[..., TrainConfig]


def records(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_run_folder(configuration: Configuration, tmp_path: Path, data_files: dict[str, str]) -> None:
    run = tmp_path / "runs" / "first"
    data = {"train": [data_files["train"]], "validation": 0.25, "test": [data_files["validation"]]}
    metrics = train(configuration(data=data, epochs=2), run)
    names = {p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file()}
    figures = {"learning-curve", *(f"parity-{part}-{q}" for part in metrics for q in ("energy", "forces", "stress"))}
    assert names == {
        *("config.yaml", "log.jsonl", "log.csv", "card.md", "card.yaml"),
        *(f"checkpoints/{name}.safetensors" for name in ("last", "previous", "kept")),
        *(f"{figure}.{ending}" for figure in figures for ending in ("png", "csv")),
    }
    card = yaml.safe_load((run / "card.yaml").read_text())
    assert (card["data"]["n_structures"], card["data"]["n_validation"], card["data"]["n_test"]) == (6, 2, 4)
    assert card["metrics"] == metrics
    assert card["data"]["elements"].keys() == {"Al", "Cu"}
    assert "nobody" in (run / "card.md").read_text()
    rows = list(csv.DictReader((run / "log.csv").open()))
    assert [float(row["loss"]) for row in rows] == [record["loss"] for record in records(run)]


@pytest.mark.parametrize("keep", ["last", "best"])
def test_metrics_in_the_card_are_those_of_the_kept_checkpoint(
    configuration: Configuration, tmp_path: Path, keep: str
) -> None:
    config = configuration(dtype="float64", epochs=6, keep=keep)
    metrics = train(config, tmp_path / "run")["validation"]
    potential, description = load_potential(tmp_path / "run")
    errors = []
    for structure in open_structures(config.data.validation):  # type: ignore[arg-type]
        graph = Graph.of(structure, Elements(potential.elements), potential.cutoff())
        errors.append((predict(potential, graph).energy.item() - structure.energy) / len(structure))
    assert metrics["overall"]["energy"]["mae"] == pytest.approx(1000 * np.abs(errors).mean(), rel=1e-9)
    best = min(records(tmp_path / "run"), key=lambda record: record["validation_loss"])
    assert description["position"]["best_epoch"] == best["epoch"]
    assert description["position"]["epoch"] == (best["epoch"] if keep == "best" else 6)
    card = yaml.safe_load((tmp_path / "run" / "card.yaml").read_text())
    assert card["training"]["epoch of the weights"] == description["position"]["epoch"]
    parity = list(csv.DictReader((tmp_path / "run" / "parity-validation-energy.csv").open()))
    found = [float(row["predicted"]) - float(row["reference"]) for row in parity]
    assert np.abs(found).mean() == pytest.approx(np.abs(errors).mean(), rel=1e-6)


def test_loss_falls(configuration: Configuration, tmp_path: Path) -> None:
    train(configuration(epochs=30), tmp_path / "run")
    log = records(tmp_path / "run")
    assert log[-1]["loss"] < 0.3 * log[0]["loss"]
    assert log[-1]["validation_loss"] < 0.5 * log[0]["validation_loss"]


def test_same_seed_same_weights(configuration: Configuration, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(configuration(seed=seed, epochs=1), tmp_path / name)
    a, b, c = (load_checkpoint(tmp_path / n / "checkpoints" / "last.safetensors").tensors for n in "abc")
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["raw.energy_heads.0.network.0.weight"], c["raw.energy_heads.0.network.0.weight"])


def test_a_potential_is_built_once(configuration: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[list[str]] = []
    toy, make = architecture("toy"), architecture("toy").__init__
    monkeypatch.setattr(
        toy, "__init__", lambda self, config, elements: (built.append(elements), make(self, config, elements))[1]
    )
    build(configuration(), open_sources(configuration().data, seed=0))
    assert built == [["Al", "Cu"]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype(configuration: Configuration, tmp_path: Path, dtype: str) -> None:
    train(configuration(dtype=dtype, epochs=1), tmp_path / "run")
    potential, _ = load_potential(tmp_path / "run")
    assert {p.dtype for p in potential.parameters()} == {getattr(torch, dtype)}
    assert potential.representation.centres.dtype == getattr(torch, dtype)


def test_tied_weights_are_equal_until_they_are_untied(configuration: Configuration, tmp_path: Path) -> None:
    differences = []
    for epochs in (2, 3):
        run = tmp_path / str(epochs)
        train(configuration(epochs=epochs, tied_epochs=2), run)
        tensors = load_checkpoint(run / "checkpoints" / "last.safetensors").tensors
        for kind in ("raw", "average"):
            one, two = (tensors[f"{kind}.representation.layers.{k}.weight"] for k in (0, 1))
            differences.append(float((one - two).abs().max()))
    assert differences[:2] == [0.0, 0.0]
    assert min(differences[2:]) > 0


def test_early_stop(configuration: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([5.0, 3.0, 4.0, 4.5, 1.0])
    validate = Trainer._validate

    def scripted(self: Trainer) -> Any:
        return type(result := validate(self))(next(losses), result.metrics)

    monkeypatch.setattr(Trainer, "_validate", scripted)
    train(configuration(epochs=9, patience=2), tmp_path / "run")
    assert [record["validation_loss"] for record in records(tmp_path / "run")] == [5.0, 3.0, 4.0, 4.5]
    best = load_checkpoint(tmp_path / "run" / "checkpoints" / "kept.safetensors").description["position"]
    assert (best["epoch"], best["best_epoch"], best["best_loss"]) == (2, 2, 3.0)


def test_a_patience_that_comes_later_finds_its_own_best(configuration: Configuration, tmp_path: Path) -> None:
    """Until then the last weights were kept, which need not be those of the smallest loss."""
    run = tmp_path / "run"
    train(configuration(epochs=2), run)
    kept = run / "checkpoints" / "kept.safetensors"
    checkpoint = load_checkpoint(run / "checkpoints" / "last.safetensors")
    checkpoint.description["position"] |= {"best_epoch": 1, "best_loss": 0.0, "validations_since_best": 1}
    save_checkpoint(run / "checkpoints" / "last.safetensors", checkpoint)
    train(configuration(epochs=3, patience=5), run, resume=True)
    position = load_checkpoint(kept).description["position"]
    assert (position["epoch"], position["best_epoch"]) == (3, 3)


def test_time_limit_ends_the_training_and_the_cosine(configuration: Configuration, tmp_path: Path) -> None:
    train(configuration(epochs=100000, max_minutes=0.01, validation_interval=1000), tmp_path / "run")
    log = records(tmp_path / "run")
    assert 0.01 <= log[-1]["minutes"] < 0.03
    assert log[-1]["learning_rate"] < 0.1 * log[0]["learning_rate"]
    assert "validation_loss" in log[-1]
    assert sum("validation_loss" in record for record in log) <= 1 + len(log) // 1000


def test_batches_are_bounded(configuration: Configuration, tmp_path: Path) -> None:
    train(configuration(epochs=1, batch_size=8, max_atoms=4), tmp_path / "run")
    assert records(tmp_path / "run")[-1]["step"] == 8


def test_loss_that_is_not_finite_stops_and_saves_the_structure(
    configuration: Configuration, tmp_path: Path, data_files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unnp.data.readers.mapping.LARGEST_LABEL", np.inf)  # else the reader refuses such a label
    frames = read(data_files["train"], ":")
    frames[5].calc.results["energy"] = 1e308
    bad = str(tmp_path / "bad.extxyz")
    write(bad, frames)
    data = {"train": [bad], "validation": [data_files["validation"]]}
    config = configuration(data=data, reference_energies="zero", batch_size=4)
    with pytest.raises(TrainingError, match=r"not finite at step \d.*bad.extxyz frame 5;.*--resume"):
        train(config, tmp_path / "run")
    saved = read(tmp_path / "run" / "not-finite.extxyz", ":")
    assert len(saved) == 1
    assert np.allclose(saved[0].positions, frames[5].positions)
    assert np.allclose(saved[0].get_forces(), frames[5].get_forces())
    assert not (tmp_path / "run" / "checkpoints" / "kept.safetensors").exists()


def test_data_that_do_not_fit_the_configuration(
    configuration: Configuration, tmp_path: Path, data_files: dict[str, str]
) -> None:
    frames = read(data_files["train"], ":")
    for frame in frames:
        frame.calc.results.pop("stress")
    plain = str(tmp_path / "plain.extxyz")
    write(plain, frames)
    with pytest.raises(ConfigError, match=r"loss.stress has a weight, but no training structure has stress"):
        train(configuration(data={"train": [plain], "validation": 0.25}), tmp_path / "run")
    for frame in frames:
        frame.symbols = "Ni4"
    nickel = str(tmp_path / "nickel.extxyz")
    write(nickel, frames)
    with pytest.raises(DataError, match=r"data\.validation contains Ni, but the training structures only Al, Cu"):
        train(configuration(data={"train": [data_files["train"]], "validation": [nickel]}), tmp_path / "run")
    with pytest.raises(DataError, match=r"absent\.extxyz"):
        train(configuration(data={"train": ["absent.extxyz"]}), tmp_path / "run")
    with pytest.raises(ConfigError, match="unknown architecture 'teanett'"):
        train(configuration(potential={"architecture": "teanett"}), tmp_path / "run")
    with pytest.raises(ConfigError, match="architecture 'zbl' has nothing to train"):
        train(configuration(potential={"architecture": "zbl"}), tmp_path / "run")
    with pytest.raises(ConfigError, match="unknown group 'fwe'"):
        train(configuration(loss={"group_weights": {"fwe": 2.0}}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_partly_missing_labels_are_said_and_left_out(
    configuration: Configuration, tmp_path: Path, data_files: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    frames = read(data_files["train"], ":")
    frames[0].calc.results.pop("stress")
    frames[1].pbc = [True, True, False]
    frames[2].calc.results.pop("forces")
    mixed = str(tmp_path / "mixed.extxyz")
    write(mixed, frames)
    data = {"train": [mixed], "validation": [data_files["validation"]], "read": {"required": [], "missing": "allow"}}
    train(configuration(data=data), tmp_path / "run")
    assert "1 of 8 structures have no stress" in caplog.text
    assert all(np.isfinite(record["loss"]) for record in records(tmp_path / "run"))
