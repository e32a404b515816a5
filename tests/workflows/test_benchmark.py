"""`unnp benchmark`: every contestant under one budget in one table, resumable."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from benchmark_runs import EAM, PAINN, SCHNET, settings, write_files
from typer.testing import CliRunner
from unnp.atoms.structure import Structure
from unnp.cli import build_app
from unnp.config import from_dict
from unnp.data.readers.reading import read_structures
from unnp.errors import ConfigError, UnnpError
from unnp.evaluate.evaluation import evaluate
from unnp.exported.loader import load_model
from unnp.workflows.benchmark.config import BenchmarkConfig
from unnp.workflows.benchmark.cost import repeated
from unnp.workflows.benchmark.entries import merged
from unnp.workflows.benchmark.report import write_report
from unnp.workflows.benchmark.run import run_benchmark


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_files(folder)
    return folder


@pytest.fixture(scope="module")
def finished(files: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder, path = tmp_path_factory.mktemp("benchmark") / "out", files / "benchmark.yaml"
    path.write_text(yaml.safe_dump(settings()))
    result = CliRunner().invoke(build_app(), ["benchmark", str(path), "-o", str(folder)])
    assert result.exit_code == 0, result.output
    return folder, result.output


def test_tables_hold_all_contestants(finished: tuple[Path, str], files: Path) -> None:
    folder, printed = finished
    results = json.loads((folder / "results.json").read_text())
    assert {name: len(own) for name, own in results.items()} == {"SchNet": 2, "PaiNN": 2, "EAM": 1}
    for own in results.values():
        for result in own:
            assert {"energy", "forces", "force_norms", "stress"} == result["errors"].keys()
            assert "note" not in result
        assert own[0]["us_per_atom_step"] > 0
        assert not any("us_per_atom_step" in result for result in own[1:])
    with (folder / "results.csv").open() as file:
        rows = {row[""]: row for row in csv.DictReader(file)}
    assert rows["SchNet"]["energy MAE [meV/atom]"].endswith("(33.6)")
    assert "±" in rows["PaiNN"]["force components MAE [eV/A]"]
    assert rows["EAM"]["parameters"] == ""
    assert "force components MAE" in printed
    for figure in ("accuracy-cost", "learning-curves"):
        assert (folder / f"{figure}.png").stat().st_size > 5000
        assert len((folder / f"{figure}.csv").read_text().splitlines()) > 2


def test_errors_are_those_of_the_exported_model(finished: tuple[Path, str], files: Path, tmp_path: Path) -> None:
    folder, _ = finished
    own = json.loads((folder / "PaiNN/seed-1/errors.json").read_text())["result"]["errors"]
    structures = read_structures(files / "test.extxyz")
    table = evaluate(load_model(folder / "PaiNN/seed-1/model.pt", device="cpu"), structures, tmp_path / "e")["overall"]
    for name in ("energy", "forces", "stress"):
        assert own[name] == pytest.approx(table[name]["mae"], rel=1e-6)


def test_common_and_own_settings_of_trainings_are_merged(finished: tuple[Path, str]) -> None:
    config = yaml.safe_load((finished[0] / "PaiNN/seed-1/run/config.yaml").read_text())
    assert (config["seed"], config["epochs"]) == (1, 2)
    assert (config["loss"]["energy"]["weight"], config["loss"]["stress"]["weight"]) == (0.5, 10.0)
    assert merged({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}, "d": 4}) == {"a": {"b": 1, "c": 3}, "d": 4}


def test_what_is_finished_is_not_done_again(finished: tuple[Path, str], files: Path) -> None:
    folder, _ = finished
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*/*/run/card.yaml")}
    (folder / "SchNet/seed-1/errors.json").unlink()
    kept = json.loads((folder / "results.json").read_text())["SchNet"][0]
    results = run_benchmark(from_dict(settings(), BenchmarkConfig), files, folder, resume=True)
    assert results["SchNet"][0] == kept
    assert before == {path: path.stat().st_mtime_ns for path in folder.glob("*/*/run/card.yaml")}


def test_a_stopped_benchmark_goes_on(files: Path, tmp_path: Path) -> None:
    path = files / "stopped.yaml"
    models = {"SchNet": {"potential": SCHNET}}
    path.write_text(
        yaml.safe_dump(settings(models=models, seeds=[0], cost=None, training={"epochs": 40, "threads": 1}))
    )
    command = [sys.executable, "-m", "unnp", "benchmark", str(path), "-o", str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ})
    log = tmp_path / "out/SchNet/seed-0/run/log.jsonl"
    while not (log.exists() and log.read_text().count("\n") >= 2):
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 75, output
    assert "Stopped on request. Go on with: unnp benchmark" in output
    assert not (tmp_path / "out/SchNet/seed-0/errors.json").exists()
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "out/results.json").read_text())["SchNet"][0]["epochs"] <= 40
    epochs = [json.loads(line)["epoch"] for line in log.read_text().splitlines()]
    assert epochs == list(range(1, 41))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": {}}, "at least 1"),
        ({"models": {"x": {}}}, "give one of `potential`, which is trained, `fitpod`"),
        ({"models": {"x": {"peer": EAM, "training": {"epochs": 3}}}}, "nothing else is trained"),
        ({"models": {"x": {"peer": EAM, "published": {"force": 1}}}}, "no column 'force'"),
        ({"seeds": [1, 1]}, "`seeds` must differ"),
        ({"models": {"x": {"potential": SCHNET, "seeds": [2, 2]}}}, "`seeds` must differ"),
        ({"models": {"x": {"peer": EAM, "seeds": [2]}}}, "nothing else is trained"),
        ({"training": {"seed": 3}}, "may not hold `seed`"),
        (
            {"training": {"heads": {"a": {"groups": ["x"]}, "b": {}}}},
            "may not hold `heads`: all are judged at one level",
        ),
        ({"models": {"x": {"potential": SCHNET, "training": {"heads": {"a": {}}}}}}, "may not hold `heads`"),
        ({"data": {"train": ["train.extxyz"]}}, "`data.test` is empty"),
    ],
)
def test_settings_that_say_nothing_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_dict(settings(**changes), BenchmarkConfig)


def test_all_trainings_are_checked_before_the_first_begins(files: Path, tmp_path: Path) -> None:
    models = {"SchNet": {"potential": SCHNET}, "PaiN": {"potential": {"architecture": "pain"}}}
    with pytest.raises(ConfigError, match=r"models.PaiN: unknown architecture 'pain'.*Did you mean 'painn'"):
        run_benchmark(from_dict(settings(models=models), BenchmarkConfig), files, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_belongs_to_one_benchmark(finished: tuple[Path, str], files: Path, tmp_path: Path) -> None:
    folder, _ = finished
    with pytest.raises(ConfigError, match="already holds a run; go on with --resume"):
        run_benchmark(from_dict(settings(), BenchmarkConfig), files, folder)
    changed = from_dict(settings(training={**settings()["training"], "epochs": 3}), BenchmarkConfig)
    refused = r"(?s)models\.SchNet: epochs changed since .*seed-0 was trained.*models\.PaiNN"
    with pytest.raises(ConfigError, match=refused):
        run_benchmark(changed, files, folder, resume=True)
    with pytest.raises(ConfigError, match="holds no run that could be resumed"):
        run_benchmark(from_dict(settings(), BenchmarkConfig), files, tmp_path / "none", resume=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {**settings()["data"], "test": ["tset.extxyz"]}}, "tset.extxyz"),
        ({"data": {**settings()["data"], "test": ["gold.extxyz"]}}, "data.test contains Au"),
        ({"models": {"SchNet": {"potential": SCHNET}, "E": {"peer": {**EAM, "pair_style": "aem"}}}}, "models.E: .*aem"),
        ({"models": {"E": {"peer": {"pair_style": "eam", "pair_coeff": ["* * Cu_u4.eam"]}}}}, "models.E: .*Cu_u4.eam"),
        ({"models": {"E": {"peer": {**EAM, "elements": ["Ni"]}}}}, "models.E: .*contains Cu"),
        ({"models": {"M": {"peer": {"model": "none.pt"}}}}, "models.M: .*none.pt"),
        (
            {"models": {"Z": {"potential": {"architecture": "zbl"}}}},
            "models.Z: architecture 'zbl' has nothing to train",
        ),
        ({"device": "cuda:99"}, "device 'cuda:99' was asked for"),
        (
            {"data": {**settings()["data"], "train": ["bare.extxyz"], "read": {"required": ["energy"]}}},
            "models.SchNet: loss.forces has a weight, but no training structure has forces",
        ),
    ],
)
def test_test_structures_and_peers_are_checked_before_anything_is_written(
    files: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    gold = bulk("Au", cubic=True)
    gold.calc = SinglePointCalculator(gold, energy=0.0, forces=np.zeros((4, 3)), stress=np.zeros(6))
    write(files / "gold.extxyz", gold)
    bare = [bulk("Cu", cubic=True, a=a) for a in np.linspace(3.5, 3.8, 12)]
    for atoms in bare:
        atoms.calc = SinglePointCalculator(atoms, energy=0.0)
    write(files / "bare.extxyz", bare)
    with pytest.raises(UnnpError, match=message):
        run_benchmark(from_dict(settings(**changes), BenchmarkConfig), files, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def one_training(**changes: Any) -> BenchmarkConfig:
    models = changes.pop("models", {"SchNet": {"potential": SCHNET}})
    training = {"epochs": 1, "threads": 1}
    given = {"models": models, "training": training, "seeds": [0], "cost": None, **changes}
    return from_dict(settings(**given), BenchmarkConfig)


def test_contestants_and_seeds_may_be_added(files: Path, tmp_path: Path) -> None:
    run_benchmark(one_training(), files, tmp_path / "out")
    card = tmp_path / "out/SchNet/seed-0/run/card.yaml"
    before = card.stat().st_mtime_ns
    models = {"SchNet": {"potential": SCHNET}, "PaiNN": {"potential": PAINN, "seeds": [3]}, "EAM": {"peer": EAM}}
    results = run_benchmark(one_training(models=models, seeds=[0, 3]), files, tmp_path / "out", resume=True)
    assert {name: len(own) for name, own in results.items()} == {"SchNet": 2, "PaiNN": 1, "EAM": 1}
    assert (tmp_path / "out/PaiNN/seed-3/model.pt").is_file()
    assert card.stat().st_mtime_ns == before
    larger = {**SCHNET, "settings": {**SCHNET["settings"], "features": 12}}
    changed = one_training(models={**models, "SchNet": {"potential": larger}})
    with pytest.raises(
        ConfigError, match=r"(?s)models\.SchNet: potential changed since .*delete the folders"
    ) as refused:
        run_benchmark(changed, files, tmp_path / "out", resume=True)
    assert "PaiNN" not in str(refused.value)


def test_errors_and_costs_are_measured_again_where_what_they_depend_on_changes(files: Path, tmp_path: Path) -> None:
    data, test = settings()["data"], tmp_path / "test.extxyz"
    data = {**data, "train": [str(files / "train.extxyz")], "test": [str(test)]}
    frames: list[Atoms] = read(files / "test.extxyz", ":")  # type: ignore[assignment]
    write(test, frames)

    def run(resume: bool = True, **changes: Any) -> tuple[dict[str, Any], dict[str, int]]:
        given = {"data": data, "cost": {"atoms": 32, "steps": 2}, **changes}
        result = run_benchmark(one_training(**given), files, tmp_path / "out", resume=resume)["SchNet"][0]
        written = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out/SchNet/seed-0").glob("*.*")}
        return result, written

    first, before = run(resume=False)
    assert run() == (first, before)
    again, timed = run(cost={"atoms": 32, "steps": 4})
    assert again["errors"] == first["errors"]
    assert {name for name in before if timed[name] != before[name]} == {"cost.json"}
    _, on_two = run(cost={"atoms": 32, "steps": 4}, threads=2)
    assert {name for name in before if on_two[name] != timed[name]} == {"cost.json"}
    frames[0].calc.results["energy"] += 4.0
    write(test, frames)
    corrected, judged = run(cost={"atoms": 32, "steps": 4}, threads=2)
    assert corrected["errors"]["energy"] != first["errors"]["energy"]
    assert {name for name in before if judged[name] != on_two[name]} == {"errors.json"}


def test_the_cost_of_one_seed_is_that_of_all(tmp_path: Path) -> None:
    config = from_dict(settings(models={"EAM": {"peer": EAM}}), BenchmarkConfig)
    timed = {"errors": {"forces": 0.5}, "us_per_atom_step": 2.0}
    write_report(tmp_path, config, {"EAM": [timed, {"errors": {"forces": 0.7}}]})
    with (tmp_path / "accuracy-cost.csv").open() as file:
        rows = [(float(row["us_per_atom_step"]), float(row["force_mae"])) for row in csv.DictReader(file)]
    assert rows == [(2.0, 0.5), (2.0, 0.7)]


def test_without_lammps_the_table_says_so(files: Path, tmp_path: Path) -> None:
    models = {"SchNet": {"potential": SCHNET}}
    config = from_dict(settings(models=models, seeds=[0], lmp="no-such-lmp", training={"epochs": 1}), BenchmarkConfig)
    results = run_benchmark(config, files, tmp_path / "out")
    assert "no cost in LAMMPS" in results["SchNet"][0]["note"]
    assert "no-such-lmp" in (tmp_path / "out/table.md").read_text()


def test_structures_are_repeated_along_their_short_sides() -> None:
    structure = Structure(np.array([29]), np.zeros((1, 3)), np.diag([2.0, 3.0, 8.0]), np.ones(3, dtype=bool))
    atoms = repeated(structure, 12)
    assert len(atoms) >= 12
    assert atoms.cell.lengths() == pytest.approx([8.0, 9.0, 8.0])
