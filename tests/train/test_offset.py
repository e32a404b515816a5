"""A constant offset of the stress labels: found, taken off, told, kept over restarts."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from typer.testing import CliRunner
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.cli import build_app
from unnp.cli import evaluate as evaluate_verb
from unnp.config import from_dict
from unnp.data.dataset import Batch, Labels
from unnp.derivatives import Prediction
from unnp.errors import ConfigError
from unnp.train.config import TrainConfig
from unnp.train.distributed import Processes
from unnp.train.loss import Loss, LossConfig
from unnp.train.offset import RECENT, StressOffset
from unnp.train.run import train
from unnp.units import GPA_PER_EV_PER_A3

Configuration = Callable[..., TrainConfig]
SHIFT = {"few": 12.0, "many": 5.0}
TERMS = {"energy": {"weight": 1.0}, "forces": {"weight": 1.0}}


@pytest.fixture(scope="module")
def shifted(data_files: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files whose stress labels are a constant, in GPa, more tensile in each group."""
    folder, paths = tmp_path_factory.mktemp("shifted"), {}
    for part, path in data_files.items():
        frames: list[Any] = read(path, ":")
        for atoms in frames:
            labels = dict(atoms.calc.results)
            shift = SHIFT[atoms.info["group"]] / GPA_PER_EV_PER_A3
            labels["stress"] = labels["stress"] + shift * np.array([1, 1, 1, 0, 0, 0])
            atoms.calc = SinglePointCalculator(atoms, **labels)
        paths[part] = str(folder / f"{part}.extxyz")
        write(paths[part], frames)
    return paths


@pytest.fixture
def shifted_run(configuration: Configuration, shifted: dict[str, str], tmp_path: Path) -> Callable[..., Path]:
    data = {"train": [shifted["train"]], "validation": [shifted["validation"]]}

    def run(name: str, offset: Any, **settings: Any) -> Path:
        loss = {**TERMS, "stress": {"weight": 1000.0, "offset": offset}}
        train(configuration(data=data, loss=loss, dtype="float64", **settings), tmp_path / name)
        return tmp_path / name

    return run


def errors(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((run / "card.yaml").read_text())["metrics"]["validation"]["overall"]
    return found


def test_a_fitted_offset_is_that_of_the_labels_and_leaves_the_same_potential(
    configuration: Configuration, data_files: dict[str, str], shifted_run: Callable[..., Path], tmp_path: Path
) -> None:
    data = {"train": [data_files["train"]], "validation": [data_files["validation"]]}
    loss = {**TERMS, "stress": {"weight": 1000.0, "offset": "fit"}}
    train(configuration(data=data, loss=loss, dtype="float64", epochs=20), tmp_path / "as they are")
    plain = yaml.safe_load((tmp_path / "as they are/card.yaml").read_text())["stress_offset"]
    card = yaml.safe_load((shifted_run("fitted", "fit", epochs=20) / "card.yaml").read_text())
    found = {name: value - plain[name] for name, value in card["stress_offset"].items()}
    assert found == pytest.approx(SHIFT, abs=1e-3)
    for quantity, row in errors(tmp_path / "as they are").items():
        assert errors(tmp_path / "fitted")[quantity] == pytest.approx(row, rel=1e-5)
    assert f"many: {card['stress_offset']['many']:.3f} GPa" in (tmp_path / "fitted/card.md").read_text()


def test_a_given_offset_is_taken_off(shifted_run: Callable[..., Path]) -> None:
    by_group = errors(shifted_run("given", SHIFT, epochs=3))
    nothing = errors(shifted_run("nothing", 0.0, epochs=3))
    assert by_group["stress"]["mae"] < nothing["stress"]["mae"]
    card = yaml.safe_load((shifted_run("again", SHIFT, epochs=1) / "card.yaml").read_text())
    assert card["stress_offset"] == pytest.approx(SHIFT)


def test_an_offset_of_a_group_that_is_none_is_refused(shifted_run: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match=r"loss.stress.offset: .*'fewer'.*few"):
        shifted_run("refused", {"fewer": 1.0}, epochs=1)


def test_an_offset_in_the_way_is_said_once(shifted_run: Callable[..., Path], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        shifted_run("nothing", 0.0, epochs=40)
    said = [r.getMessage() for r in caplog.records if "cannot fall" in r.getMessage()]
    assert len(said) == 1
    assert "more tensile than dE/dstrain" in said[0]
    assert "offset: fit" in said[0]


def test_nothing_is_said_where_it_is_fitted(shifted_run: Callable[..., Path], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        shifted_run("fitted", "fit", epochs=40)
    assert "cannot fall" not in caplog.text


def test_the_log_says_what_each_term_makes_of_the_loss(shifted_run: Callable[..., Path]) -> None:
    for line in (shifted_run("run", "fit", epochs=2) / "log.jsonl").read_text().splitlines():
        record = json.loads(line)
        shares = [record[f"share_{name}"] for name in ("energy", "forces", "stress")]
        assert sum(shares) == pytest.approx(1.0)
        assert shares[0] == pytest.approx(record["loss_energy"] / record["loss"], rel=1e-6)


def test_the_exported_model_takes_it_off_where_it_is_evaluated(
    shifted_run: Callable[..., Path], shifted: dict[str, str], tmp_path: Path
) -> None:
    small = {"architecture": "schnet", "settings": {"cutoff": 4.0, "features": 8, "interactions": 1, "gaussians": 8}}
    run, model = shifted_run("fitted", "fit", epochs=5, potential=small), tmp_path / "m.pt"
    found = {}
    for words in (
        ["export", run, "-o", model],
        ["evaluate", model, shifted["validation"], "-o", tmp_path / "with"],
        ["evaluate", model, shifted["validation"], "-o", tmp_path / "without", "--no-stress-offset"],
    ):
        result = CliRunner().invoke(build_app(), [str(word) for word in words])
        assert result.exit_code == 0, result.output
        found[str(words[-1])] = result.output
    stress = {
        name: json.loads((tmp_path / name / "errors.json").read_text())["overall"]["stress"]["mae"]
        for name in ("with", "without")
    }
    assert stress["with"] == pytest.approx(errors(run)["stress"]["mae"], rel=1e-6)
    assert stress["without"] > stress["with"] + 2  # 5 and 12 GPa on three of nine components
    said = " ".join(found[str(tmp_path / "with")].split())
    assert "Taken off the stress labels, as found in the training: " in said
    assert "GPa (few), " in said
    assert "GPa (many)." in said
    assert "Taken off" not in found["--no-stress-offset"]


def test_of_groups_that_the_training_did_not_have_it_is_said() -> None:
    structures = [Structure(np.array([13]), np.zeros((1, 3)), group=name) for name in ("few", "", "other")]
    said = evaluate_verb._offsets(structures, {"few": 2.0, "many": 1.0})
    guess = "not in the training: the mean of its groups"
    assert said == f"1.500 GPa (no group, {guess}), 2.000 GPa (few), 1.500 GPa (other, {guess})"


def test_a_fitted_offset_that_cannot_be_likely_is_said(
    shifted_run: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        shifted_run("fitted", "fit", epochs=20)
    said = [r.getMessage() for r in caplog.records if "the fitted offset of the stress labels is" in r.getMessage()]
    assert len(said) == 1
    assert "GPa (few)" in said[0]
    assert "its pressures are then as wrong" in said[0]
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        shifted_run("given", SHIFT, epochs=1)
    assert "the fitted offset" not in caplog.text


def test_a_group_without_stress_labels_is_not_blamed() -> None:
    loss = Loss(from_dict({"stress": {"weight": 1.0, "offset": 2.0}}, LossConfig), ["clusters", "bulk"])
    offset = StressOffset(loss, ["clusters", "bulk"], [5, 5], "cpu")
    offset.seen[1], offset.mean[1] = 5.0, 3.0 / GPA_PER_EV_PER_A3
    said = offset.complaint((1.0 / GPA_PER_EV_PER_A3) ** 2 / 3)
    assert "labels of group bulk are 1.00 GPa more tensile" in said


@pytest.mark.parametrize("row", [{"kind": "mae"}, {"kind": "huber", "delta": 0.1}])
def test_only_a_mean_square_is_compared_with_the_square_of_an_offset(row: dict[str, Any]) -> None:
    table = from_dict({"stress": {"weight": 1.0, **row}}, LossConfig)
    offset = StressOffset(Loss(table, ["bulk"]), ["bulk"], [5], "cpu")
    offset.seen[0], offset.mean[0] = 5.0, 3.0 / GPA_PER_EV_PER_A3
    assert offset.complaint(1e-9) == ""


def stress_batches(n: int) -> list[tuple[Prediction, Batch]]:
    """Return predictions and labels of single cells, the first labels 10 GPa above, the others 2 GPa."""
    cell, pbc, found = 4.0 * np.eye(3), np.ones(3, dtype=bool), []
    for k in range(n):
        shift = (10.0 if k < n // 2 else 2.0) / GPA_PER_EV_PER_A3
        structure = Structure(np.array([13]), np.zeros((1, 3)), cell, pbc, energy=0.0, stress=shift * np.eye(3))
        zero = torch.zeros(1, dtype=torch.float64)
        prediction = Prediction(zero, zero, None, torch.zeros(1, 3, 3, dtype=torch.float64))
        found.append((prediction, Batch(Graph.of(structure, Elements(["Al"]), 3.0), Labels.of(structure, 0))))
    return found


def test_the_loss_takes_off_what_the_last_labels_say_and_validation_what_an_epoch_does() -> None:
    loss, n = Loss(from_dict({"stress": {"weight": 1.0, "offset": "fit"}}, LossConfig), [""]), 8 * RECENT
    offset, pairs = StressOffset(loss, [""], [n], "cpu"), stress_batches(n)
    for prediction, batch in pairs:
        offset.learn(prediction, batch, Processes())
    assert GPA_PER_EV_PER_A3 * float(offset.mean) == pytest.approx(6.0)
    assert GPA_PER_EV_PER_A3 * float(offset.recent) == pytest.approx(2.0, abs=0.2)
    left = [take(pairs[-1][1]).labels["stress"][0, 0, 0] for take in (offset.take_off, offset.take_off_recent)]
    assert GPA_PER_EV_PER_A3 * float(left[0]) == pytest.approx(-4.0)
    assert abs(GPA_PER_EV_PER_A3 * float(left[1])) < 0.2


def test_both_offsets_are_in_a_checkpoint() -> None:
    loss = Loss(from_dict({"stress": {"weight": 1.0, "offset": "fit"}}, LossConfig), [""])
    offset = StressOffset(loss, [""], [40], "cpu")
    for prediction, batch in stress_batches(30):
        offset.learn(prediction, batch, Processes())
    kept = {name: float(tensor) for name, tensor in offset.tensors.items()}
    assert kept["offset.mean"] != kept["offset.recent"] != 0
    assert kept["offset.seen"] == 30
