"""Labels of single atoms, and which labels of a structure count in a training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from ase.build import bulk
from ase.io import read, write
from unnp.atoms.elements import Elements
from unnp.atoms.structure import Structure
from unnp.config import from_dict
from unnp.data.dataset import Dataset, collate
from unnp.data.filters import within_limits
from unnp.data.readers import ReadOptions, read_structures
from unnp.data.statistics import statistics
from unnp.data.store_writer import write_store
from unnp.data.writing import write_structures
from unnp.derivatives import Prediction
from unnp.errors import ConfigError, DataError
from unnp.evaluate.metrics import Metrics, Pairs
from unnp.models.checkpoint import load_checkpoint
from unnp.train.config import TrainConfig
from unnp.train.loss import Loss, LossConfig
from unnp.train.run import train

Configuration = Callable[..., TrainConfig]
NAN = float("nan")
FORCES = np.array([[NAN] * 3, [1.0, 0.0, 0.0], [0.0, -2.0, 0.0], [0.0, 0.0, 4.0]])
WEIGHT = np.array([1.0, 1.0, 3.0, 0.0])


def frame(forces: np.ndarray = FORCES, weight: np.ndarray | None = WEIGHT, **info: Any) -> Any:
    """Four atoms: one without forces, one of weight 1, one of 3, one of 0."""
    atoms = bulk("Al", cubic=True)
    atoms.arrays["forces"] = forces
    if weight is not None:
        atoms.arrays["forces_weight"] = weight
    atoms.info.update({"energy": -1.0, **info})
    return atoms


def structures_of(folder: Path, *frames: Any, options: ReadOptions | None = None) -> list[Structure]:
    write(folder / "frames.xyz", list(frames), format="extxyz", write_results=False)
    return read_structures(folder / "frames.xyz", options)


def test_masked_forces_are_read_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = structures_of(tmp_path, frame(), frame(np.ones((4, 3)), None))
    assert np.array_equal(first.forces, FORCES, equal_nan=True)
    assert np.array_equal(first.forces_weight, WEIGHT)
    assert second.forces_weight is None
    assert first.has_forces.tolist() == [False, True, True, False]
    assert "in 1 structure(s) the forces on single atoms (1 in all) are NaN" in caplog.text


@pytest.mark.parametrize("target", ["copy.xyz", "store"])
def test_masks_and_weights_are_written_and_read_again(tmp_path: Path, target: str) -> None:
    given = structures_of(tmp_path, frame(), frame(np.ones((4, 3)), None))
    path = tmp_path / target
    if target == "store":
        again = list(write_store(given, path))
    else:
        write_structures(given, path)
        again = read_structures(path)
    assert np.array_equal(again[0].forces, FORCES, equal_nan=True)
    assert np.array_equal(again[0].forces_weight, WEIGHT)
    assert np.array_equal(again[1].forces, np.ones((4, 3)))
    assert again[1].forces_weight is None or np.array_equal(again[1].forces_weight, np.ones(4))


def test_a_store_whose_first_atom_has_no_forces_still_has_the_label(tmp_path: Path) -> None:
    store = write_store(structures_of(tmp_path, frame()), tmp_path / "store")
    assert store.first_with("forces", present=True) == 0
    assert store.first_with("forces", present=False) is None


def test_nan_on_all_atoms_is_a_missing_label(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no forces: 'forces' is NaN on all atoms"):
        structures_of(tmp_path, frame(np.full((4, 3), NAN)))
    (one,) = structures_of(tmp_path, frame(np.full((4, 3), NAN)), options=ReadOptions(required=("energy",)))
    assert one.forces is None


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (frame(np.where(np.eye(4, 3) > 0, NAN, 1.0)), "atom 0 are NaN in some components only"),
        (frame(np.where(np.eye(4, 3) > 0, np.inf, 1.0)), "forces .* is not finite"),
        (frame(weight=np.array([1.0, -1.0, 0.0, 0.0])), "must be one number, zero or more, for each of the 4 atoms"),
        (frame(weight=np.array([1.0, NAN, 0.0, 0.0])), "forces_weight .* is not finite"),
        (frame(weight=np.ones((4, 3))), "must be one number"),
    ],
)
def test_masks_and_weights_that_are_none(tmp_path: Path, atoms: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"frame 0.*{message}"):
        structures_of(tmp_path, atoms)


def test_statistics_and_limits_leave_out_what_does_not_count(tmp_path: Path) -> None:
    (one,) = structures_of(tmp_path, frame())
    known = statistics([one])
    assert known.rms["forces"] == pytest.approx(np.sqrt((1 + 4) / 6))
    assert known.forces_max == 2.0
    assert within_limits(one, max_force=2.5, max_energy=None)
    assert not within_limits(one, max_force=1.5, max_energy=None)


@pytest.mark.parametrize("kind", ["mse", "mae", "huber"])
def test_loss_and_errors_are_those_of_the_atoms_that_count(tmp_path: Path, kind: str) -> None:
    masked, plain = structures_of(tmp_path, frame(), frame(np.zeros((4, 3)), None))
    dataset = Dataset([masked, plain], Elements(["Al"]), 4.0)
    batch = collate([dataset[0], dataset[1]])
    forces = torch.zeros(8, 3, dtype=torch.float64, requires_grad=True)
    zero = torch.zeros(2, dtype=torch.float64)
    prediction = Prediction(zero, torch.zeros(8), forces, torch.zeros(2, 3, 3))
    row = {"kind": kind} | ({"delta": 0.5} if kind == "huber" else {})
    loss = Loss(from_dict({"forces": row}, LossConfig), [""])
    assert loss.counts(batch)[1] == (2 + 4) * 3
    error = {"mse": lambda r: r * r, "mae": lambda r: r, "huber": lambda r: 0.5 * (r - 0.25)}[kind]
    total = loss.sums(prediction, batch)[1]
    assert total.item() == pytest.approx(1.0 * error(1.0) + 3.0 * error(2.0))
    total.backward()
    assert forces.grad is not None
    assert torch.isfinite(forces.grad).all()
    assert forces.grad.abs().sum(1).nonzero().flatten().tolist() == [1, 2]
    metrics, pairs = Metrics([""], ["Al"]), Pairs([""])
    metrics.update(prediction, batch)
    pairs.update(prediction, batch)
    assert metrics.result()["overall"]["forces"] == pytest.approx({"mae": 3 / 18, "rmse": (5 / 18) ** 0.5, "n": 18})
    assert len(pairs.result("forces")[0]) == 18


def masked_copy(source: str, path: Path, spoil: Callable[[Any, int], None]) -> str:
    frames = read(source, ":")
    for k, atoms in enumerate(frames):
        atoms.info["energy"] = atoms.calc.results["energy"]
        atoms.info["stress"] = atoms.get_stress(voigt=False)
        atoms.arrays["forces"] = atoms.calc.results["forces"].copy()
        atoms.calc = None
        spoil(atoms, k)
    write(path, frames, format="extxyz")
    return str(path)


def weights_after(run: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(run / "checkpoints" / "last.safetensors").part("raw")


def test_a_training_does_not_see_the_forces_of_atoms_without_label_or_weight(
    configuration: Configuration, tmp_path: Path, data_files: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    def absent(atoms: Any, k: int) -> None:
        atoms.arrays["forces"][k % 4] = NAN

    def weightless(atoms: Any, k: int) -> None:
        atoms.arrays["forces"][k % 4] = 777.0
        atoms.arrays["forces_weight"] = np.array([float(i != k % 4) for i in range(4)])

    runs = {}
    for name, spoil in (("absent", absent), ("weightless", weightless)):
        data = {"train": [masked_copy(data_files["train"], tmp_path / f"{name}.xyz", spoil)]}
        train(configuration(data={**data, "validation": [data_files["validation"]]}), tmp_path / name)
        runs[name] = weights_after(tmp_path / name)
    for name, tensor in runs["absent"].items():
        assert torch.isfinite(tensor).all()
        assert torch.equal(tensor, runs["weightless"][name]), name
    assert "8 of 8 structures have forces on some atoms only: 8 atoms have none" in caplog.text


def open_cell(atoms: Any, k: int) -> None:
    atoms.pbc = [True, True, False]


def open_some(atoms: Any, k: int) -> None:
    atoms.pbc = [True, True, k != 1]


def test_a_stress_that_never_counts_is_an_error(
    configuration: Configuration, tmp_path: Path, data_files: dict[str, str]
) -> None:
    slabs = masked_copy(data_files["train"], tmp_path / "slabs.xyz", open_cell)
    data = {"train": [slabs], "validation": 0.25}
    with pytest.raises(
        ConfigError, match=r"loss\.stress has a weight.* 6 of 6 have a stress, but are not periodic in all"
    ):
        train(configuration(data=data), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_stress_that_counts_in_some_structures_is_said(
    configuration: Configuration, tmp_path: Path, data_files: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    some = masked_copy(data_files["train"], tmp_path / "some.xyz", open_some)
    slabs = masked_copy(data_files["validation"], tmp_path / "slabs.xyz", open_cell)
    train(configuration(data={"train": [some], "validation": [slabs]}, epochs=1), tmp_path / "run")
    assert "1 of 8 structures have a stress that does not count" in caplog.text
    assert "4 of 4 validation structures have a stress that does not count" in caplog.text
    assert "No validation structure has stress that counts" in caplog.text


def test_terms_without_anything_to_learn_from_are_errors(
    configuration: Configuration, tmp_path: Path, data_files: dict[str, str]
) -> None:
    def none(atoms: Any, k: int) -> None:
        atoms.arrays["forces_weight"] = np.zeros(4)

    data = {"train": [masked_copy(data_files["train"], tmp_path / "zero.xyz", none)], "validation": 0.25}
    with pytest.raises(ConfigError, match=r"loss\.forces has a weight.*the weights of groups or atoms are 0"):
        train(configuration(data=data), tmp_path / "run")
    loss = {"energy": {"weight": 1.0}, "group_weights": {"few": 0.0, "many": 0.0}}
    with pytest.raises(ConfigError, match=r"loss\.energy has a weight.*the weights of groups or atoms are 0"):
        train(configuration(loss=loss), tmp_path / "run")


def test_validation_structures_without_labels_are_an_error(
    configuration: Configuration, tmp_path: Path, data_files: dict[str, str]
) -> None:
    write(tmp_path / "bare.xyz", [bulk("Al", cubic=True)], format="extxyz")
    read_options = {"required": [], "missing": "allow"}
    data = {"train": [data_files["train"]], "validation": [str(tmp_path / "bare.xyz")], "read": read_options}
    with pytest.raises(ConfigError, match="no validation structure has a label that the loss counts"):
        train(configuration(data=data), tmp_path / "run")


def test_isolated_atoms_give_the_reference_energy_of_a_training(
    configuration: Configuration, tmp_path: Path, data_files: dict[str, str]
) -> None:
    """Also where the only one of an element is held back for validation, and whatever least squares would give."""
    frames = read(data_files["train"], ":")
    alone = bulk("Cu", cubic=True)[:1]
    alone.cell, alone.pbc = np.eye(3) * 12.0, True
    alone.info.update(energy=3.51, group="alone")
    alone.arrays["forces"] = np.zeros((1, 3))
    write(tmp_path / "alone.xyz", [alone], format="extxyz")
    write(tmp_path / "bulk.xyz", frames, format="extxyz")
    missing = {"missing": "allow"}
    for name, parts in {
        "trained on": {"train": ["alone.xyz", "bulk.xyz"], "validation": [data_files["validation"]], "read": missing},
        "held back": {"train": ["bulk.xyz"], "validation": ["alone.xyz"], "read": missing},
    }.items():
        train(configuration(data=parts, epochs=1), tmp_path / name, base=tmp_path)
        card = yaml.safe_load((tmp_path / name / "card.yaml").read_text())
        assert card["potential"]["heads"][0]["reference_energies"]["Cu"] == pytest.approx(3.51, abs=1e-12)
