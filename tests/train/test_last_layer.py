"""The last layer of a single model: the formula, its file, and `unnp last-layer` and `unnp uncertainty`."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
import torch
import yaml
from ase.build import bulk
from ase.io.lammpsdata import write_lammps_data
from typer.testing import CliRunner
from unnp.adapters.ase import UnnpCalculator
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.cli import build_app
from unnp.config import from_dict
from unnp.data.opening import open_structures
from unnp.errors import ConfigError, LammpsError, ModelError
from unnp.evaluate.calibration import VANISHING
from unnp.evaluate.last_layer import LastLayer, fit_last_layer, load_last_layer
from unnp.exported.archive import read_manifest
from unnp.exported.loader import LoadedPotential, load_model
from unnp.lammps.launch import Launch
from unnp.lammps.run import run_lammps
from unnp.train.committee import train_committee
from unnp.train.config import TrainConfig
from unnp.train.run import train
from unnp.train.structures import sources_of_run

SMALL = {"architecture": "schnet", "settings": {"cutoff": 4.0, "features": 6, "interactions": 1, "gaussians": 5}}


def run(*arguments: object) -> Any:
    return CliRunner().invoke(build_app(), [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def folder(
    settings: Callable[..., dict[str, Any]], data_files: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with a trained model, its run folder, and its last layer."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("last-layer")
    data = {"train": [data_files["train"]], "validation": list(data_files.values())}
    config = settings(potential=SMALL, data=data, epochs=2, dtype="float64")
    train(from_dict(config, TrainConfig), path / "run")
    assert run("export", path / "run", "-o", path / "model.pt").exit_code == 0
    result = run("last-layer", path / "model.pt", path / "run", "-o", path / "model.safetensors", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "last layer of 6 features over 8 training structures" in result.output
    return path


@pytest.fixture
def model(folder: Path) -> LoadedPotential:
    return load_model(folder / "model.pt", device="cpu")


def graphs(model: LoadedPotential, structures: Any) -> Graph:
    return Graph.batch([Graph.of(structure, model.elements, model.cutoff) for structure in structures])


def test_rigidity_is_the_quadratic_form() -> None:
    random = np.random.default_rng(0)
    x, rows = random.standard_normal((20, 4)), random.standard_normal((3, 4))
    matrix = x.T @ x + 0.1 * np.eye(4)
    layer = LastLayer(torch.from_numpy(np.linalg.cholesky(matrix)), {"energy": 1.0}, "")
    expected = np.sqrt(np.einsum("ni,ij,nj->n", rows, np.linalg.inv(matrix), rows))
    np.testing.assert_allclose(layer.rigidity(torch.from_numpy(rows)).numpy(), expected, rtol=1e-10)


def test_the_sum_is_over_the_atoms_of_the_training_data(
    folder: Path, model: LoadedPotential, data_files: dict[str, str]
) -> None:
    layer = load_last_layer(folder / "model.safetensors")
    graph = graphs(model, open_structures(data_files["train"]))
    x = model.features(graph).double()
    sums = x.T @ x
    level = 1e-6 * float(sums.diagonal().mean())
    torch.testing.assert_close(layer.factor @ layer.factor.T, sums + level * torch.eye(6, dtype=torch.float64))
    # leverages add up to the number of directions that are there: sum x^T C^-1 x = sum_k e_k / (e_k + lambda)
    eigenvalues = torch.linalg.eigvalsh(sums)
    directions = float((eigenvalues / (eigenvalues + level)).sum())
    assert float(layer.rigidity(x).square().sum()) == pytest.approx(directions, rel=1e-6)
    found = layer.deviation(model, graph)
    means = torch.stack([x[graph.atom_graph == k].mean(0) for k in range(graph.n_graphs)])
    torch.testing.assert_close(found.energy_deviation, layer.scales["energy"] * layer.rigidity(means))
    torch.testing.assert_close(found.force_deviation, layer.scales["forces"] * layer.rigidity(x))
    torch.testing.assert_close(found.energy, model.predict(graph).energy)


def test_what_is_far_from_the_training_data_deviates_most(folder: Path, model: LoadedPotential) -> None:
    layer = load_last_layer(folder / "model.safetensors")
    near, far = (Structure.from_atoms(bulk("Al", cubic=True, a=a)) for a in (4.0, 3.0))
    found = layer.deviation(model, graphs(model, [near, far]))
    assert float(found.energy_deviation[1]) > 3 * float(found.energy_deviation[0])
    assert float(found.force_deviation[4:].min()) > 3 * float(found.force_deviation[:4].max())


def test_its_file_belongs_to_one_model_in_any_number_type(folder: Path, write_model, tmp_path: Path) -> None:
    layer = load_last_layer(folder / "model.safetensors")
    assert layer.scales.keys() == {"energy", "forces"}
    single = load_model(folder / "model.pt", device="cpu", dtype="float32")
    layer.check(single)
    other = load_model(write_model(tmp_path / "other.pt"), device="cpu")
    with pytest.raises(ModelError, match="has other weights than the model whose last layer this is"):
        layer.deviation(other, graphs(other, [Structure.from_atoms(bulk("Al"))]))
    without = replace(layer, scales={"forces": 1.0}).deviation(
        single, graphs(single, [Structure.from_atoms(bulk("Al"))])
    )
    assert torch.isnan(without.energy_deviation).all()
    assert torch.isfinite(without.force_deviation).all()


def test_damaged_files_are_refused_in_one_line(folder: Path, tmp_path: Path) -> None:
    layer, path = load_last_layer(folder / "model.safetensors"), tmp_path / "damaged.safetensors"
    nothing = torch.full_like(layer.factor, torch.nan)
    for wrong in (
        replace(layer, factor=nothing),
        replace(layer, factor=-layer.factor),
        replace(layer, scales={"energy": 0.0}),
    ):
        wrong.save(path)
        with pytest.raises(ModelError, match="is no last layer of a model") as error:
            load_last_layer(path)
        assert "\n" not in str(error.value)
    for content in (
        (folder / "model.safetensors").read_bytes()[:100],
        b"",
        (folder / "run/checkpoints/kept.safetensors").read_bytes(),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelError, match="is no last layer of a model"):
            load_last_layer(path)
    with pytest.raises(ModelError, match="is no file"):
        load_last_layer(tmp_path)


def test_a_model_without_features_is_refused(folder: Path, small_model: Path, model: LoadedPotential) -> None:
    lonely = [Structure.from_atoms(bulk("Al", a=30.0))]  # no bonds: the features of the small model are all 0
    with pytest.raises(ModelError, match="no features that say anything"):
        fit_last_layer(load_model(small_model, device="cpu"), lonely, lonely)


def test_uncertainty_of_structures_and_atoms(folder: Path, data_files: dict[str, str], tmp_path: Path) -> None:
    unlabelled = tmp_path / "md.xyz"
    ase.io.write(unlabelled, [bulk("Al", cubic=True, a=a) for a in (4.0, 3.0)], format="extxyz")
    arguments = ["--last-layer", folder / "model.safetensors", "--device", "cpu"]
    result = run("uncertainty", folder / "model.pt", unlabelled, "-o", tmp_path / "md", *arguments)
    assert result.exit_code == 0, result.output
    with (tmp_path / "md/structures.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["n_atoms"]) for row in rows] == [4, 4]
    assert float(rows[1]["energy_deviation"]) > 3 * float(rows[0]["energy_deviation"])
    frames = ase.io.read(tmp_path / "md/uncertainty.xyz", ":")
    for row, atoms in zip(rows, frames, strict=True):
        assert atoms.arrays["unnp_force_deviation"].max() == pytest.approx(float(row["max_force_deviation"]), rel=1e-6)
    assert not list((tmp_path / "md").glob("*.png"))
    labelled = run(
        "uncertainty", folder / "model.pt", data_files["validation"], "-o", tmp_path / "labelled", *arguments
    )
    assert "within 1" in labelled.output
    assert (tmp_path / "labelled/reliability-forces.csv").exists()
    with pytest.raises(ModelError, match="holds one member, which has nobody to disagree with"):
        run("uncertainty", folder / "model.pt", unlabelled, "-o", tmp_path / "out")


def test_a_committee_says_whether_it_is_calibrated(small_model: Path, tmp_path: Path) -> None:
    unlabelled = tmp_path / "md.xyz"
    ase.io.write(unlabelled, bulk("AlNi", "cesiumchloride", a=2.9), format="extxyz")
    result = run("uncertainty", small_model, unlabelled, "-o", tmp_path / "md", "--device", "cpu")
    assert "deviations of 1 structures; deviation of energy not calibrated, of forces not" in result.output


def test_the_run_knows_what_it_has_held_back(
    settings: Callable[..., dict[str, Any]], data_files: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    data = {"train": list(data_files.values()), "validation": 0.25}
    heads = {"first": {"groups": ["many"]}, "second": {}}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(settings(data=data, heads=heads, seed=5)))
    whole = sources_of_run(folder / "run")
    assert (len(whole.train), len(whole.validation)) == (8, 12)
    first, second = (sources_of_run(tmp_path, head) for head in (0, 1))
    assert {s.group for s in first.validation} == {"many"}
    assert {s.group for s in second.validation} == {"few"}
    assert len(first.train) + len(first.validation) + len(second.validation) == 12
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        run("last-layer", folder / "model.pt", tmp_path / "nowhere", "-o", tmp_path / "x")


def test_a_committee_is_calibrated_on_what_its_folder_has_held_back(
    settings: Callable[..., dict[str, Any]], data_files: dict[str, str], tmp_path: Path
) -> None:
    data = {"train": [data_files["train"]], "validation": 0.25}
    config = settings(potential=SMALL, data=data, epochs=1, seeds=[3, 5])
    train_committee(from_dict(config, TrainConfig), tmp_path / "run")
    assert run("export", tmp_path / "run", "-o", tmp_path / "raw.pt").exit_code == 0
    result = run("calibrate", tmp_path / "raw.pt", tmp_path / "run", "-o", tmp_path / "m.pt", "--device", "cpu")
    assert "energy is not calibrated: it needs 10 labels." in result.output  # two structures are held back
    held_back = open_structures(data_files["train"])
    parity = np.loadtxt(tmp_path / "run/parity-validation-forces.csv", delimiter=",", skiprows=1, usecols=(1, 2))
    chosen = sources_of_run(tmp_path / "run").validation
    np.testing.assert_allclose(np.sort(parity[:, 0]), np.sort(np.concatenate([s.forces.ravel() for s in chosen])))
    assert len(chosen) == len(held_back) // 4
    raw, calibrated = (UnnpCalculator(tmp_path / name, device="cpu") for name in ("raw.pt", "m.pt"))
    ratios = []
    for structure in chosen:
        found, before = (calculator.committee(structure.to_atoms()) for calculator in (calibrated, raw))
        scale = found.force_deviation / before.force_deviation
        np.testing.assert_allclose(scale, read_manifest(tmp_path / "m.pt").deviation_scales["forces"], rtol=1e-9)
        force = found.forces.mean(0)
        ratio = np.linalg.norm(force - structure.forces, axis=1) / found.force_deviation
        ratios.append(ratio[np.linalg.norm(force, axis=1) > VANISHING])
    assert np.mean(np.square(np.concatenate(ratios))) == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("ranks", [1, 4])
def test_lammps_has_the_same_deviations(ranks: int, folder: Path, model: LoadedPotential, tmp_path: Path) -> None:
    pytest.importorskip("lammps")
    symbols = model.manifest.elements
    atoms = bulk(symbols[0], "fcc", a=4.0, cubic=True) * (3, 1, 1)  # two of four ranks have no atoms
    atoms.set_cell([24.0, 4.0, 4.0])
    atoms.rattle(0.1, seed=3)
    write_lammps_data(tmp_path / "a.data", atoms, specorder=symbols, masses=True)
    words = f"last_layer {folder}/model.safetensors deviation deviation.out 1 capture c.extxyz 1e-9 1 stop 1e9 1"
    lines = ["units metal", "processors * 1 1", "read_data a.data", f"pair_style unnp {words}"]
    lines += [f"pair_coeff * * {folder}/model.pt {' '.join(symbols)}", "run 0"]
    (tmp_path / "in.lammps").write_text("\n".join(lines) + "\n")
    log = run_lammps(tmp_path / "in.lammps", Launch(ranks=ranks))
    assert log.n_ranks == ranks
    expected = load_last_layer(folder / "model.safetensors").deviation(
        model, graphs(model, [Structure.from_atoms(atoms)])
    )
    forces = expected.force_deviation
    row = np.loadtxt(tmp_path / "deviation.out")
    of_energy = float(expected.energy_deviation)
    np.testing.assert_allclose(row[1:], [forces.max(), forces.min(), forces.mean(), of_energy], rtol=1e-6)
    frame = ase.io.read(tmp_path / "c.extxyz")
    np.testing.assert_allclose(frame.arrays["unnp_force_deviation"], forces, rtol=1e-5)
    assert frame.info["unnp_max_force"] == pytest.approx(float(expected.forces.norm(dim=1).max()), rel=1e-6)


def test_lammps_refuses_what_is_no_last_layer_of_the_model(
    folder: Path, write_model: Callable[..., Path], model: LoadedPotential, tmp_path: Path
) -> None:
    pytest.importorskip("lammps")
    write_model(tmp_path / "other.pt")
    (tmp_path / "text.safetensors").write_text("nothing")
    whole = (folder / "model.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-8])
    cases = [
        ("none.safetensors", folder / "model.pt", "is no last layer of a model .it cannot be opened."),
        ("text.safetensors", folder / "model.pt", "is no last layer of a model .it ends too early."),
        ("cut.safetensors", folder / "model.pt", "its matrix is not square, not of float64, or cut short"),
        (folder / "model.safetensors", tmp_path / "other.pt", "was made of another model, with other weights"),
    ]
    for layer, file, message in cases:
        elements = read_manifest(file).elements
        lines = ["units metal", "region 1 block 0 9 0 9 0 9", f"create_box {len(elements)} 1"]
        lines += [f"pair_style unnp last_layer {layer}", f"pair_coeff * * {file} {' '.join(elements)}"]
        (tmp_path / "in.lammps").write_text("\n".join(lines) + "\n")
        with pytest.raises(LammpsError, match=message):
            run_lammps(tmp_path / "in.lammps", Launch(ranks=2))
