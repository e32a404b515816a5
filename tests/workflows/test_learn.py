"""`unnp learn`: rounds that learn what was chosen, that can be killed anywhere, and that end as they are told to."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from ase.build import bulk
from ase.calculators.emt import EMT
from learn_runs import config, finished_loop, rows, settings, write_files
from typer.testing import CliRunner
from unnp.adapters.ase import UnnpCalculator
from unnp.atoms.structure import Structure
from unnp.cli import build_app
from unnp.config import from_dict
from unnp.data.fingerprint import fingerprint
from unnp.data.opening import open_structures
from unnp.data.store import Store
from unnp.data.writing import write_structures
from unnp.errors import ConfigError
from unnp.evaluate.evaluation import evaluate
from unnp.exported.archive import read_manifest
from unnp.exported.loader import load_model
from unnp.workflows.learn.calibrating import calibrate
from unnp.workflows.learn.config import StopRulesConfig
from unnp.workflows.learn.loop import Loop
from unnp.workflows.learn.proposers.pool import Pool
from unnp.workflows.learn.rounds import AFTER, LABEL, SELECT, Round, reason_to_stop
from unnp.workflows.learn.run import run_learning
from unnp.workflows.learn.steps import Steps

EMT_LABELS = {"kind": "ase", "name": "emt"}
HOT = {"kind": "md", "runs": [{"steps": 5, "potential": {"model": "other.pt"}}]}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_files(folder)
    return folder


@pytest.fixture(scope="module")
def finished(files: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A loop of two committees, and what it printed."""
    return finished_loop(files, tmp_path_factory.mktemp("learn") / "out")


def test_each_round_learns_what_was_chosen_with_its_hidden_labels(finished: tuple[Path, str], files: Path) -> None:
    folder, _ = finished
    pool = {fingerprint([s]): s for s in open_structures(files / "pool.extxyz")}
    seen: list[str] = []
    for number, n in ((0, 4), (1, 3)):
        for structure in Store(folder / f"round-{number:03d}/labelled"):
            mark = fingerprint([structure])
            assert pool[mark].energy == structure.energy
            seen.append(mark)
        assert len(seen) == len(set(seen)) == n + (0 if number == 0 else 4)
        manifest = read_manifest(folder / f"round-{number:03d}/model.pt")
        assert manifest.n_members == 2
    assert Store(folder / "round-001/labelled")[0].forces is not None


def test_what_is_said_of_the_labels_to_begin_with_stays_with_them(files: Path, tmp_path: Path) -> None:
    origin = {"name": "chgnet 0.3.0"}
    write_structures(open_structures(files / "pool.extxyz")[:6], files / "begin", origins=[origin])
    only = {"judge": {"pool": {"kind": "pool"}}, "stop": {"rounds": 0}}
    run_learning(config(start={"data": ["begin"], "random": 2}, **only), files, tmp_path / "out")
    assert Store(tmp_path / "out/round-000/labelled").origins == [origin]


def test_nothing_is_proposed_where_the_first_model_learns_given_structures_alone(files: Path, tmp_path: Path) -> None:
    write_structures(open_structures(files / "pool.extxyz")[:6], files / "alone")
    only = {"judge": {"pool": {"kind": "pool"}}, "stop": {"rounds": 0}}
    report = run_learning(config(start={"data": ["alone"]}, **only), files, tmp_path / "out")
    assert [(row["proposed"], row["new"]) for row in report["rounds"]] == [({}, 6)]


def test_the_report_holds_errors_costs_and_reasons(finished: tuple[Path, str], files: Path, tmp_path: Path) -> None:
    folder, printed = finished
    report = json.loads((folder / "report.json").read_text())
    assert (report["stopped"], report["pool"]) == ("1 rounds are done", 20)
    assert [(row["new"], row["learnt"], row["fraction"]) for row in report["rounds"]] == [(4, 4, 0.2), (3, 7, 0.35)]
    assert report["rounds"][1]["left_out"] == {"learnt already, or proposed twice": 4}
    assert report["rounds"][1]["seconds"].keys() == {"propose", "select", "label", "judge before", "train", "judge"}
    for number, judge, file in ((0, "pool", "pool"), (1, "pool", "pool"), (1, "test", "test")):
        model = load_model(folder / f"round-{number:03d}/model.pt", "cpu")
        expected = evaluate(model, list(open_structures(files / f"{file}.extxyz")), tmp_path / f"{number}{judge}")
        found = report["rounds"][number]["judges"][judge]
        assert found["energy_mae"] == pytest.approx(expected["overall"]["energy"]["mae"])
        assert found["forces_rmse"] == pytest.approx(expected["overall"]["forces"]["rmse"])
    model = load_model(folder / "round-000/model.pt", "cpu")
    before = evaluate(model, list(Store(folder / "round-001/labelled")), tmp_path / "new")["overall"]
    assert report["rounds"][1]["judges"]["new"]["energy_mae"] == pytest.approx(before["energy"]["mae"])
    assert "new" not in report["rounds"][0]["judges"]
    choices = rows(folder / "chosen.csv")
    assert [row["reason"] for row in choices[:4]] == ["drawn at random"] * 4
    assert all(row["reason"].startswith("largest atomic deviation") for row in choices[4:])
    assert all(row["proposer"] == "pool" and "pool.extxyz" in row["source"] for row in choices)
    assert "round 1  new 3  learnt 7  of the pool 35.0%" in printed


def test_figures_stand_beside_their_numbers(finished: tuple[Path, str]) -> None:
    folder, _ = finished
    for name in ("errors", "cost", "coverage"):
        assert (folder / f"{name}.png").stat().st_size > 5000
    points = rows(folder / "errors.csv")
    assert {(row["judge"], row["round"]) for row in points} == {
        *(("pool", "0"), ("pool", "1"), ("test", "0"), ("test", "1"), ("new", "1"))
    }
    assert len(rows(folder / "coverage.csv")) == 20 + 7
    assert [row["round"] for row in rows(folder / "cost.csv")] == ["0", "1"]


def test_what_is_proposed_is_gathered_once_in_a_round(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, propose = [], Pool.propose
    monkeypatch.setattr(Pool, "propose", lambda self, at: asked.append(at.number) or propose(self, at))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Loop, "_label", stop)
    for resume in (False, True):
        with pytest.raises(KeyboardInterrupt):
            run_learning(config(), files, tmp_path / "out", resume=resume)
    assert asked == [0]


def test_resumed_it_does_nothing_again_and_may_go_on(finished: tuple[Path, str], files: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(finished[0], folder)
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("round-*/**/*") if path.is_file()}
    report = run_learning(config(), files, folder, resume=True)
    assert report == json.loads((finished[0] / "report.json").read_text())
    stop = {"error": {"judge": "pool", "number": "energy_mae", "below": 1e6}}
    report = run_learning(config(stop=stop), files, folder, resume=True)
    assert report["stopped"] == "energy_mae of pool is below 1e+06"
    run_learning(config(stop=stop, select={"kind": "random", "most": 2}), files, folder, resume=True)
    assert kept == {path: path.stat().st_mtime_ns for path in folder.glob("round-*/**/*") if path.is_file()}
    with pytest.raises(ConfigError, match=r"members changed since .*only .*executor.*select.*stop.* may change"):
        run_learning(config(members=3), files, folder, resume=True)
    with pytest.raises(ConfigError, match="already holds a run"):
        run_learning(config(), files, folder)
    with pytest.raises(ConfigError, match="holds no run"):
        run_learning(config(), files, tmp_path / "nowhere", resume=True)


class StoppedError(Exception):
    """Stands for a kill."""


def test_stopped_after_each_step_it_ends_the_same(
    finished: tuple[Path, str], files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    do, folder, stops = Steps.do, tmp_path / "out", 0

    def once(steps: Steps, name: str, make: Callable[[], Any]) -> Any:
        """Stop at the first time of each step: before it is written, but after what it does."""
        if name in steps.finished:
            return do(steps, name, make)
        mark = steps._path.with_name(f"tried {name}")
        if mark.exists():
            return do(steps, name, make)
        make()
        mark.touch()
        raise StoppedError

    monkeypatch.setattr(Steps, "do", once)
    while True:
        try:
            report = run_learning(config(), files, folder, resume=folder.exists())
            break
        except StoppedError:
            stops += 1
    assert stops == 5 + 6
    expected = json.loads((finished[0] / "report.json").read_text())
    for found, wanted in zip(report["rounds"], expected["rounds"], strict=True):
        assert {k: v for k, v in found.items() if k != "seconds"} == {k: v for k, v in wanted.items() if k != "seconds"}
    assert (folder / "chosen.csv").read_text() == (finished[0] / "chosen.csv").read_text()


def test_labels_are_computed_and_weights_go_on(files: Path, tmp_path: Path) -> None:
    made = {
        "kind": "generate",
        "bases": {"al": {"symbols": "Al", "prototype": "fcc", "a": 4.05}},
        "samples": [{"kind": "rattled", "count": 6}],
    }
    changed = config(
        propose={"made": made},
        start={"data": ["test.extxyz"]},
        select={"kind": "farthest", "most": 2},
        label=EMT_LABELS,
        judge={"new": {"kind": "new"}},
        members=1,
        train={**settings()["train"], "data": {"validation": 0.4}},
        warm={"epochs": 1},
    )
    report = run_learning(changed, files, tmp_path / "out")
    assert [(row["new"], row["proposed"]) for row in report["rounds"]] == [(3, {}), (2, {"made": 6})]
    new = Store(tmp_path / "out/round-001/labelled")
    atoms = new[0].to_atoms()
    atoms.calc = EMT()
    assert new[0].energy == pytest.approx(atoms.get_potential_energy())
    first = yaml.safe_load((tmp_path / "out/round-000/members/member-0/card.yaml").read_text())["settings"]
    second = yaml.safe_load((tmp_path / "out/round-001/members/member-0/card.yaml").read_text())["settings"]
    assert (first["epochs"], first["start"], second["epochs"]) == (2, None, 1)
    assert second["start"].endswith("round-000/members/member-0")
    assert "fraction" not in report["rounds"][0]


def test_the_example_of_toy_size_runs(tmp_path: Path) -> None:
    examples, runner = Path(__file__).parents[2] / "examples/learn", CliRunner()
    pool = tmp_path / "pool.xyz"
    made = runner.invoke(
        build_app(), ["data", "generate", str(examples / "toy-pool.yaml"), "-o", str(pool), "--workers", "1"]
    )
    assert made.exit_code == 0, made.output
    changes = [f"propose.pool.data=[{pool}]", "executor={kind: here}", "train.epochs=2", "stop.rounds=1", "device=cpu"]
    words = ["learn", str(examples / "toy.yaml"), "-o", str(tmp_path / "toy")]
    result = runner.invoke(build_app(), [*words, *(word for change in changes for word in ("--set", change))])
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "toy/report.json").read_text())
    assert [row["round"] for row in report["rounds"]] == [0, 1]
    assert report["pool"] == 40
    assert 0 < report["rounds"][1]["new"] <= 6


def a_round(number: int, chosen: int, labelled: int, **judges: float) -> Round:
    entries = [{}] * chosen
    steps = {
        SELECT: {"result": {"chosen": entries, "given": 0}, "seconds": 1.0},
        LABEL: {"result": {"labelled": labelled}, "seconds": 1.0},
        AFTER: {"result": {name: {"energy_mae": value} for name, value in judges.items()}, "seconds": 1.0},
    }
    return Round(number, steps if chosen else {SELECT: steps[SELECT]})


def test_a_loop_ends_by_each_of_its_rules() -> None:
    stop = from_dict({"rounds": 3, "frames": 50, "error": {"judge": "pool", "below": 2.0}}, StopRulesConfig)
    first = a_round(0, 10, 10, pool=9.0)
    assert reason_to_stop([], stop) == ""
    assert reason_to_stop([first], stop) == ""
    assert reason_to_stop([first, a_round(1, 0, 0)], stop) == "no structure was chosen"
    assert reason_to_stop([first, a_round(1, 5, 5, pool=1.9)], stop) == "energy_mae of pool is below 2"
    assert reason_to_stop([first, a_round(1, 45, 40, pool=3.0)], stop) == "50 structures are learnt"
    assert reason_to_stop([first, a_round(3, 5, 5, pool=3.0)], stop) == "3 rounds are done"
    assert reason_to_stop([first, a_round(2, 5, 5, other=1.0)], stop) == ""


def test_too_few_labels_to_calibrate_are_said_and_change_nothing(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.pt"
    shutil.copy(small_model, model)
    unknown = Structure.from_atoms(bulk("W", cubic=True)).with_labels({"energy": 0.0, "forces": np.zeros((2, 3))})
    assert calibrate(model, load_model(small_model, "cpu"), [unknown]) == {}
    assert f"{model} is not calibrated: " in capsys.readouterr().out
    assert model.read_bytes() == small_model.read_bytes()


def test_deviations_are_calibrated_where_the_model_before_was_wrong(files: Path, tmp_path: Path) -> None:
    """The factor by hand: sqrt(mean of (error / deviation)^2) of the first model's forces on the new structures."""
    report = run_learning(config(calibrate=True), files, tmp_path / "out")
    first = load_model(tmp_path / "out/round-000/model.pt", "cpu")
    assert first.manifest.deviation_scales == {}
    ratios = []
    for structure in Store(tmp_path / "out/round-001/labelled"):
        forces = UnnpCalculator(str(first.path)).committee(structure.to_atoms()).forces
        error, spread = structure.forces - forces.mean(0), np.square(forces - forces.mean(0)).sum(-1).mean(0)
        ratios += list(np.square(error).ravel() / np.repeat(spread / 3, 3))
    expected = {"forces": pytest.approx(np.sqrt(np.mean(ratios)), rel=1e-3)}
    assert read_manifest(tmp_path / "out/round-001/model.pt").deviation_scales == expected
    assert [row["scales"] for row in report["rounds"]] == [{}, expected]
