"""The columns of a benchmark, its curves, and data of the form of HME21."""

import csv
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import read, write
from benchmark_runs import EAM, SCHNET, settings, write_files
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.config import from_dict, load_yaml
from unnp.data.opening import open_structures
from unnp.evaluate.evaluation import evaluate
from unnp.exported.loader import load_model
from unnp.models import PotentialConfig
from unnp.train.config import DataConfig
from unnp.train.datasets import open_sources
from unnp.units import GPA_PER_EV_PER_A3
from unnp.workflows.benchmark.config import BenchmarkConfig
from unnp.workflows.benchmark.errors import errors_of_labels
from unnp.workflows.benchmark.run import run_benchmark


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_files(folder)
    return folder


def test_errors_by_hand() -> None:
    cell, pbc = 3 * np.eye(3), np.ones(3, dtype=bool)
    forces = np.array([[3.0, 4.0, 0.0], [0, 0, 0]])
    apart = np.diag([0.0, 0.0, 1.5])[1:]
    one = Structure(np.array([29, 29]), apart, cell, pbc, 1.0, forces, np.zeros((3, 3)))
    cluster = Structure(np.array([29]), np.zeros((1, 3)), energy=0.0, stress=np.zeros((3, 3)))
    turned = one.with_labels({"energy": 1.1, "forces": forces[:, [1, 0, 2]], "stress": np.eye(3)})
    shifted = cluster.with_labels({"energy": 0.3, "forces": np.zeros((1, 3)), "stress": None})
    found = errors_of_labels([one, cluster], [turned, shifted])
    assert found == pytest.approx(
        {"energy": (50 + 300) / 2, "forces": 2 / 6, "force_norms": 0.0, "stress": GPA_PER_EV_PER_A3 / 3}
    )


def test_further_labels_have_a_column_where_a_contestant_gives_them(files: Path, tmp_path: Path) -> None:
    for part in ("train", "test"):
        frames: list[Atoms] = read(files / f"{part}.extxyz", ":")  # type: ignore[assignment]
        for k, atoms in enumerate(frames):
            atoms.arrays["bader"] = 0.01 * k * np.array([1.0, -1.0, 1.0, -1.0])
        write(tmp_path / f"{part}.extxyz", frames)
    models = {"SchNet": {"potential": {**SCHNET, "outputs": ["charges"]}}, "EAM": {"peer": EAM}}
    data = {**settings()["data"], "read": {"labels": {"charges": "bader"}}}
    training = {"epochs": 1, "threads": 1, "loss": {"charges": {"weight": 1.0}}}
    changes = {"data": data, "models": models, "training": training, "seeds": [0], "cost": None}
    config = from_dict(settings(**changes), BenchmarkConfig)
    results = run_benchmark(config, tmp_path, tmp_path / "out")
    structures = open_structures(tmp_path / "test.extxyz", config.data.read)
    model = load_model(tmp_path / "out/SchNet/seed-0/model.pt", device="cpu")
    expected = evaluate(model, structures, tmp_path / "e")["overall"]["charges"]["mae"]
    assert results["SchNet"][0]["errors"]["charges"] == pytest.approx(expected, rel=1e-6)
    assert "charges" not in results["EAM"][0]["errors"]
    with (tmp_path / "out/results.csv").open() as file:
        rows = {row[""]: row["charges MAE [e]"] for row in csv.DictReader(file)}
    assert rows == {"SchNet": f"{expected:.3g}", "EAM": ""}


def test_curves_over_the_number_of_structures(files: Path, tmp_path: Path) -> None:
    changes = {"models": {"SchNet": {"potential": SCHNET}}, "seeds": [0], "cost": None, "fractions": [0.5]}
    results = run_benchmark(from_dict(settings(**changes), BenchmarkConfig), files, tmp_path)["SchNet"]
    assert [(r["fraction"], r["structures"], r["epochs"]) for r in results] == [(1.0, 6, 2), (0.5, 3, 4)]
    with (tmp_path / "data-curves.csv").open() as file:
        points = [(int(row["structures"]), float(row["force_mae"])) for row in csv.DictReader(file)]
    assert points == [(r["structures"], pytest.approx(r["errors"]["forces"])) for r in reversed(results)]
    with (tmp_path / "results.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (
        row["force components MAE [eV/A]"] == f"{results[0]['errors']['forces']:.3g}"
    )  # all structures, and no spread
    data = DataConfig(train=[str(files / "train.extxyz")], validation=0.25)
    whole, half = (open_sources(data.model_copy(update={"fraction": x}), 0) for x in (1.0, 0.5))
    assert [s.energy for s in half.validation] == [s.energy for s in whole.validation]
    assert {s.energy for s in half.train} < {s.energy for s in whole.train}


def test_files_of_the_form_of_hme21_are_read_as_they_are(tmp_path: Path) -> None:
    """Energies and forces of periodic mixtures, no stress; an isolated atom has no energy."""
    random = np.random.default_rng(0)
    for part, n in (("train", 6), ("val", 2), ("test", 2)):
        with (tmp_path / f"hme21_{part}.xyz").open("w") as file:
            for _ in range(n):
                atoms = bulk("Cu", cubic=True, a=3.9)
                atoms.symbols = random.permutation(["Cu", "Ag", "Pd", "Ni"])
                atoms.positions += 0.1 * random.standard_normal((4, 3))
                atoms.calc = EMT()
                rows = zip(atoms.symbols, atoms.positions, atoms.get_forces(), strict=True)
                lattice = " ".join(f"{x:g}" for x in atoms.cell.array.ravel())
                file.write(f'4\nLattice="{lattice}" Properties=species:S:1:pos:R:3:forces:R:3 ')
                file.write(f'energy={atoms.get_potential_energy()} pbc="T T T"\n')
                file.writelines(f"{s} {' '.join(f'{x:.8f}' for x in [*r, *f])}\n" for s, r, f in rows)
    path = Path(__file__).parents[2] / "examples/benchmark/hme21.yaml"
    example = load_yaml(path, BenchmarkConfig)
    own = example.models["SchNet"].model_copy(update={"potential": from_dict(SCHNET, PotentialConfig)})
    training = {**example.training, "epochs": 1, "threads": 1, "batch_size": 2}
    changes = {"models": {"SchNet": own}, "training": training, "cost": None, "device": "cpu"}
    (result,) = run_benchmark(example.model_copy(update=changes), tmp_path, tmp_path / "out")["SchNet"]
    assert result["errors"].keys() == {"energy", "forces", "force_norms"}
    assert "(33.6)" in (tmp_path / "out/table.md").read_text()
    model = load_model(tmp_path / "out/SchNet/seed-0/model.pt", device="cpu")
    lone = Structure.from_atoms(Atoms("Pd"))
    assert model.predict(Graph.of(lone, model.elements, model.manifest.cutoff)).energy.item() == 0.0
