"""A label beyond energy, forces and stress, from the file to the exported model: charges, and energies of atoms."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
import yaml
from ase import Atoms
from ase.build import bulk
from ase.io import read, write
from ase.neighborlist import neighbor_list
from typer.testing import CliRunner
from unnp.adapters.ase import UnnpCalculator
from unnp.adapters.labeller import LabellerCalculator
from unnp.atoms.graph import Graph
from unnp.atoms.outputs import Output
from unnp.cli import build_app
from unnp.core import core
from unnp.data.labelling import label_structures
from unnp.data.opening import open_structures
from unnp.data.readers import ReadOptions
from unnp.data.readers.reading import read_structures
from unnp.data.store import Store
from unnp.data.writing import write_structures
from unnp.errors import ConfigError, DataError, TrainingError
from unnp.evaluate.evaluation import evaluate
from unnp.exported.export import export_model
from unnp.exported.loader import load_model
from unnp.models import architecture, architectures, registry
from unnp.models.checkpoint import load_potential
from unnp.nn.system import System
from unnp.train.config import TrainConfig
from unnp.train.run import train

Configuration = Callable[..., TrainConfig]
READ = {"labels": {"charges": "bader"}}
POTENTIAL = {"architecture": "schnet", "settings": {"cutoff": 4.0, "features": 16, "interactions": 2, "gaussians": 12}}
LOSS = {"energy": {"weight": 0.1}, "charges": {"weight": 10.0}}


def charges(atoms: Atoms) -> np.ndarray:
    """Return charges that copper takes from aluminium nearby, 0 for lone atoms."""
    i, j, d = neighbor_list("ijd", atoms, 4.0)
    z = atoms.numbers.astype(float)
    flow = 0.02 * (z[j] - z[i]) * (1 - (d / 4.0) ** 2) ** 3
    return np.bincount(i, flow, minlength=len(atoms))


@pytest.fixture(scope="module")
def charged_files(data_files: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder, paths = tmp_path_factory.mktemp("charged"), {}
    for part, path in data_files.items():
        frames: list[Atoms] = read(path, ":")  # type: ignore[assignment]
        for atoms in frames:
            atoms.arrays["bader"] = charges(atoms)
        paths[part] = str(folder / f"{part}.extxyz")
        write(paths[part], frames)
    return paths


@pytest.fixture(scope="module")
def charged_run(
    configuration: Configuration, charged_files: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    run = tmp_path_factory.mktemp("runs") / "run"
    train(settings(configuration, charged_files, epochs=60), run)
    return run


def settings(configuration: Configuration, files: dict[str, str], **changes: Any) -> TrainConfig:
    data = {"train": [files["train"]], "validation": [files["validation"]], "read": READ}
    given = {"potential": {**POTENTIAL, "outputs": ["charges"]}, "loss": LOSS, "dtype": "float64", **changes}
    optimizer = {"learning_rate": 1e-2, "average_decay": 0.9}
    return configuration(data=data, optimizer=optimizer, **given)


@pytest.fixture(scope="module")
def charged_model(charged_run: Path) -> Path:
    potential, _ = load_potential(charged_run)
    export_model([potential], charged_run / "model.pt", name="charged")
    return charged_run / "model.pt"


def error_of(table: dict[str, Any], quantity: str) -> float:
    value: float = table["overall"][quantity]["rmse"]
    return value


def test_charges_are_learnt_and_stand_in_card_log_and_figures(charged_run: Path, charged_files: dict[str, str]) -> None:
    frames: list[Atoms] = read(charged_files["validation"], ":")  # type: ignore[assignment]
    spread = np.concatenate([atoms.arrays["bader"] for atoms in frames]).std()
    metrics = yaml.safe_load((charged_run / "card.yaml").read_text())["metrics"]["validation"]
    assert error_of(metrics, "charges") < 0.25 * spread
    assert "charges RMSE [e]" in (charged_run / "card.md").read_text()
    with (charged_run / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[-1]["charges_rmse"]) < 0.25 * float(rows[0]["charges_rmse"])
    assert float(rows[-1]["loss_charges"]) < float(rows[0]["loss_charges"])
    assert (charged_run / "parity-validation-charges.png").stat().st_size > 5000


def test_the_exported_model_gives_them_to_python_ase_and_cpp(
    charged_model: Path, charged_files: dict[str, str]
) -> None:
    loaded = load_model(charged_model, device="cpu")
    declared = {o.name: (o.per, o.shape, o.unit) for o in loaded.manifest.outputs}
    assert declared["charges"] == ("atom", [], "e")
    potential, _ = load_potential(charged_model.parent)
    frames: list[Atoms] = read(charged_files["validation"], ":")  # type: ignore[assignment]
    atoms = frames[1]
    structure = read_structures(charged_files["validation"], ReadOptions())[1]
    graph = Graph.of(structure, loaded.elements, loaded.cutoff)
    expected = potential.outputs(*graph.arguments)["charges"].detach().numpy()
    np.testing.assert_allclose(loaded.outputs(graph)["charges"], expected, rtol=0, atol=1e-12)
    atoms.calc = UnnpCalculator(charged_model, device="cpu")
    np.testing.assert_allclose(atoms.get_charges(), expected, rtol=0, atol=1e-12)
    core().check_model(str(charged_model))
    apart = Atoms("AlCu", [[0, 0, 0], [30, 0, 0]])
    apart.calc = UnnpCalculator(charged_model, device="cpu")
    assert apart.get_charges().tolist() == [0.0, 0.0]


def test_evaluate_and_features_know_them(charged_model: Path, charged_files: dict[str, str], tmp_path: Path) -> None:
    path = charged_files["validation"]
    structures = read_structures(path, ReadOptions.model_validate(READ))
    loaded = load_model(charged_model, device="cpu")
    table = evaluate(loaded, structures, tmp_path / "out")
    card = yaml.safe_load((charged_model.parent / "card.yaml").read_text())["metrics"]["validation"]
    assert error_of(table, "charges") == pytest.approx(error_of(card, "charges"), rel=1e-6)
    assert json.loads((tmp_path / "out/errors.json").read_text())["overall"]["charges"]["n"] == 16
    assert "charges" in (tmp_path / "out/errors.csv").read_text()
    frames: list[Atoms] = read(tmp_path / "out/predictions.xyz", ":")  # type: ignore[assignment]
    found = np.concatenate([f.arrays["unnp_charges"] - f.get_charges() for f in frames])
    assert np.sqrt(np.mean(found**2)) == pytest.approx(error_of(table, "charges"), rel=1e-6)
    words = ["features", charged_model, path, "-o", tmp_path / "q.npz", "--of", "charges"]
    result = CliRunner().invoke(build_app(), [str(word) for word in words])
    assert result.exit_code == 0, result.output
    values = np.load(tmp_path / "q.npz")["values"]
    np.testing.assert_allclose(values, np.concatenate([f.arrays["unnp_charges"] for f in frames]), atol=1e-7)


@pytest.mark.parametrize("target", ["set", "set.extxyz", "set.extxyz.gz"])
def test_they_are_written_and_read_again(charged_files: dict[str, str], tmp_path: Path, target: str) -> None:
    structures = read_structures(charged_files["train"], ReadOptions.model_validate(READ))
    structures[2] = structures[2].with_labels({"charges": None})
    structures[3].further["charges"][1] = np.nan
    write_structures(structures, tmp_path / target)
    options = ReadOptions(labels={"charges": "charges"}, missing="allow")
    again = list(open_structures([str(tmp_path / target)], options))
    for one, other in zip(structures, again, strict=True):
        assert (one.label("charges") is None) == (other.label("charges") is None)
        if one.label("charges") is not None:
            np.testing.assert_array_equal(one.label("charges"), other.label("charges"))
    if target == "set":
        assert Store(tmp_path / target, verify=True).first_with("charges", present=False) == 2
        assert not (tmp_path / target / "atomic_energy.npy").exists()


def test_a_store_without_them_has_no_file_for_them(charged_files: dict[str, str], tmp_path: Path) -> None:
    write_structures(read_structures(charged_files["train"], ReadOptions()), tmp_path / "set")
    assert not (tmp_path / "set/charges.npy").exists()
    assert Store(tmp_path / "set").first_with("charges", present=True) is None


def test_energies_of_atoms_are_learnt_without_a_head(
    configuration: Configuration, data_files: dict[str, str], tmp_path: Path
) -> None:
    structures = read_structures(data_files["train"], ReadOptions())
    labelled = label_structures(
        structures, {"kind": "ase", "name": "emt", "labels": ["atomic_energy"]}, folder=tmp_path, work=tmp_path / "work"
    ).structures
    for structure in labelled:
        assert structure.label("atomic_energy").sum() == pytest.approx(structure.energy, abs=1e-9)
    write_structures(labelled, tmp_path / "set")
    data = {"train": [str(tmp_path / "set")], "validation": [str(tmp_path / "set")]}
    loss = {"energy": {"weight": 0.0}, "forces": {"weight": 0.0}, "atomic_energy": {"weight": 1.0}}
    optimizer = {"learning_rate": 1e-2, "average_decay": 0.9}
    config = configuration(
        data=data, loss=loss, optimizer=optimizer, potential=POTENTIAL, epochs=40, reference_energies="zero"
    )
    train(config, tmp_path / "run")
    metrics = yaml.safe_load((tmp_path / "run/card.yaml").read_text())["metrics"]["validation"]
    spread = 1000 * np.concatenate([s.label("atomic_energy") for s in labelled]).std()
    assert error_of(metrics, "atomic_energy") < 0.3 * spread


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"potential": {**POTENTIAL, "outputs": ["charges"]}, "loss": {}}, "nothing trains; give loss.charges.weight"),
        ({"potential": POTENTIAL}, r"loss\.charges has a weight, .* add outputs: \[charges\]"),
        (
            {"potential": POTENTIAL, "loss": {"dipole": {"weight": 1.0}}},
            "no training structure has dipole.*dipole: NAME",
        ),
        (
            {"potential": POTENTIAL, "loss": {n: {"weight": 0.0} for n in ("energy", "forces")}},
            "nothing would be learnt",
        ),
        (
            {"potential": {**POTENTIAL, "outputs": ["charge"]}, "loss": {}},
            r"unknown output 'charge'.*Did you mean 'charges'",
        ),
    ],
)
def test_a_head_needs_a_term_and_a_term_a_head(
    configuration: Configuration, charged_files: dict[str, str], tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        train(settings(configuration, charged_files, **changes), tmp_path / "run")


@pytest.mark.parametrize(
    ("read_options", "message"),
    [
        ({"required": ["charges"]}, r"has no charges: files are not searched for it.*labels='\{charges: NAME\}'"),
        ({"labels": {"charges": "badder"}, "required": ["charges"]}, r"looked for 'badder'.*Did you mean 'bader'"),
        ({"labels": {"charges": "pos"}}, None),
    ],
)
def test_labels_that_are_not_there(charged_files: dict[str, str], read_options: dict[str, Any], message: str) -> None:
    options = ReadOptions.model_validate(read_options)
    if message is None:
        assert read_structures(charged_files["train"], options)[0].label("charges") is None
        return
    with pytest.raises(DataError, match=message):
        read_structures(charged_files["train"], options)


@pytest.mark.parametrize(
    ("labels", "message"),
    [({"charge": "q"}, "unknown label 'charge'.*Did you mean 'charges'"), ({"forces": "f"}, "with forces_key")],
)
def test_labels_are_named_as_in_the_table(labels: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReadOptions(labels=labels)


def test_mixed_charges_are_an_error_where_they_are_asked_for(charged_files: dict[str, str], tmp_path: Path) -> None:
    frames: Sequence[Atoms] = read(charged_files["train"], ":")  # type: ignore[assignment]
    del frames[3].arrays["bader"]
    write(tmp_path / "mixed.extxyz", frames)
    assert len(read_structures(tmp_path / "mixed.extxyz", ReadOptions())) == 8
    with pytest.raises(DataError, match=r"mixed labels: .* has charges, .* has not"):
        read_structures(tmp_path / "mixed.extxyz", ReadOptions.model_validate(READ))


class Polar(architecture("schnet")):  # type: ignore[misc]
    """A representation that gives a dipole: a sum of bond vectors, weighted by the features of both ends."""

    further_outputs: ClassVar[list[Output]] = [Output(name="dipole", per="structure", shape=[3], unit="e A")]

    def __init__(self, config: Any, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.polarity = torch.nn.Linear(self.n_features, 1, bias=False)

    def further(self, features: torch.Tensor, system: System) -> dict[str, torch.Tensor]:
        i, j = system.bond_index[0], system.bond_index[1]
        p = self.polarity(features)
        length = system.bond_vector.square().sum(1, keepdim=True)
        along = (p[j] - p[i]) * torch.exp(-length) * system.bond_vector
        dipole = along.new_zeros([system.n_graphs, 3]).index_add(0, system.graph[i], along)
        return {"dipole": dipole}


def test_a_dipole_of_structures_is_read_stored_and_trained(
    configuration: Configuration, data_files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.REGISTRY, "entries", architectures())
    registry.register("polar")(Polar)
    frames: list[Atoms] = read(data_files["train"], ":")  # type: ignore[assignment]
    for atoms in frames:
        i, j, vectors = neighbor_list("ijD", atoms, 3.5)
        z = atoms.numbers.astype(float)
        weights = 0.05 * (z[j] - z[i]) * np.exp(-(vectors**2).sum(1))
        atoms.info["mu"] = 0.5 * (weights[:, None] * vectors).sum(0)
    write(tmp_path / "polar.extxyz", frames)
    options = {"labels": {"dipole": "mu"}}
    structures = read_structures(tmp_path / "polar.extxyz", ReadOptions.model_validate(options))
    write_structures(structures, tmp_path / "set")
    write_structures(structures, tmp_path / "again.extxyz")
    for path in ("set", "again.extxyz"):
        again = list(open_structures([str(tmp_path / path)], ReadOptions(labels={"dipole": "dipole"})))
        np.testing.assert_array_equal([s.label("dipole") for s in again], [s.label("dipole") for s in structures])
    data = {"train": [str(tmp_path / "set")], "validation": [str(tmp_path / "set")]}
    optimizer = {"learning_rate": 1e-2, "average_decay": 0.9}
    loss = {"energy": {"weight": 0.0}, "forces": {"weight": 0.0}, "dipole": {"weight": 100.0}}
    potential = {**POTENTIAL, "architecture": "polar"}
    train(configuration(data=data, loss=loss, optimizer=optimizer, potential=potential, epochs=40), tmp_path / "run")
    metrics = yaml.safe_load((tmp_path / "run/card.yaml").read_text())["metrics"]["validation"]
    spread = np.std([s.label("dipole") for s in structures])
    assert error_of(metrics, "dipole") < 0.3 * spread


def test_the_line_of_an_epoch_and_the_learning_curve_show_them(
    configuration: Configuration, charged_files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loss = {**LOSS, "curvature": {"weight": 1.0, "limit": 0.0}}
    train(settings(configuration, charged_files, epochs=1, loss=loss), tmp_path / "run")
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch 1 "))
    for part in ("E part ", "charges part ", "curvature part ", "charges MAE e "):
        assert part in line
    shares = [int(word[:-1]) for word in line.split() if word.endswith("%")]
    assert sum(shares) == pytest.approx(100, abs=3)
    assert "charges_mae" in (tmp_path / "run/learning-curve.csv").read_text().splitlines()[0]


def test_data_with_charges_alone_are_labelled(charged_files: dict[str, str], tmp_path: Path) -> None:
    structures = read_structures(charged_files["train"], ReadOptions.model_validate(READ))
    alone = [s.with_labels(dict.fromkeys(("energy", "forces", "stress"))) for s in structures]
    write_structures(alone, tmp_path / "set")
    options = ReadOptions(labels={"charges": "charges"}, required=("any",))
    assert len(open_structures([str(tmp_path / "set")], options)) == 8
    write_structures(alone, tmp_path / "set.extxyz")
    assert len(open_structures([str(tmp_path / "set.extxyz")], options)) == 8


def test_evaluate_says_what_is_not_compared(charged_model: Path, data_files: dict[str, str], tmp_path: Path) -> None:
    words = ["evaluate", charged_model, data_files["validation"], "-o", tmp_path / "out"]
    result = CliRunner().invoke(build_app(), [str(word) for word in words])
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "Not compared, as no structure has that label: charges." in said
    assert "--read labels='{charges: NAME}'" in said


def test_a_calculator_of_a_labeller_gives_them() -> None:
    atoms = bulk("Al")
    atoms.calc = LabellerCalculator({"kind": "ase", "name": "emt", "labels": ["atomic_energy"]})
    assert atoms.get_potential_energies().sum() == pytest.approx(atoms.get_potential_energy())


def test_another_optimizer_is_no_damage(
    configuration: Configuration, data_files: dict[str, str], tmp_path: Path
) -> None:
    train(configuration(epochs=1), tmp_path / "run")
    with pytest.raises(TrainingError, match=r"optimizer\.kind changed since .* was made"):
        train(configuration(epochs=2, optimizer={"kind": "adamw"}), tmp_path / "run", resume=True)
