"""`unnp inject`: labels of empirical potentials are aligned, chosen and weighted as the page says; a whole run of a toy."""

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from typer.testing import CliRunner
from unnp import plots
from unnp.cli import build_app
from unnp.config import from_dict, load_yaml
from unnp.data.store import Store
from unnp.errors import ConfigError
from unnp.train.config import TrainConfig
from unnp.workflows.inject import report
from unnp.workflows.inject.config import InjectConfig
from unnp.workflows.inject.material import INJECTED
from unnp.workflows.inject.run import run_injection
from unnp.workflows.inject.trainings import Injected, Labelled, Trainings

draw = report._draw
SCHNET = {"architecture": "schnet", "settings": {"cutoff": 4.0, "features": 4, "interactions": 1, "gaussians": 6}}
ZERO = -1.5  # eV per atom, of the labels beside those of EMT


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copper with labels of EMT that count from another zero: 24 frames, a pool of 12 with such labels, and without."""
    folder, random = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for part, n in (("labelled", 24), ("pool", 12)):
        frames = []
        for _ in range(n):
            atoms = bulk("Cu", cubic=True, a=3.6 + 0.1 * random.standard_normal())
            atoms.positions += 0.1 * random.standard_normal((4, 3))
            atoms.calc = EMT()
            energy, forces = atoms.get_potential_energy() + ZERO * len(atoms), atoms.get_forces()
            atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
            frames.append(atoms)
        write(folder / f"{part}.extxyz", frames)
    for atoms in frames:
        atoms.calc = None
    write(folder / "bare.extxyz", frames)
    (folder / "morse.yaml").write_text(
        "kind: ase\nname: morse\nparameters: {epsilon: 0.3, r0: 2.7, rho0: 4, rcut1: 1.5, rcut2: 1.9}\n"
    )
    return folder


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "data": {
            "labelled": ["labelled.extxyz"],
            "test": 0.25,
            "validation": 0.2,
            "train": 10,
            "pool": ["pool.extxyz"],
        },
        "potentials": {"emt": {"kind": "ase", "name": "emt"}, "morse": "morse.yaml"},
        "classifier": {"epochs": 10, "batch_size": 4, "learning_rate": 0.02, "tau": 10},
        "architectures": {"SchNet": {"potential": SCHNET}},
        "methods": {
            "scratch": {},
            "LA+MP": {"augment": {"alpha": [0.5, 2]}, "pretrain": {}},
            "emt": {"augment": {"labels": "emt", "alpha": [1], "robust": False}},
        },
        "training": {"epochs": 4, "batch_size": 4, "threads": 1, "loss": {"forces": {"weight": 0}}},
        "pretraining": {"epochs": 1},
        "seeds": [0, 1],
        "executor": {"kind": "here"},
        "device": "cpu",
        **changes,
    }


def config(**changes: Any) -> InjectConfig:
    return from_dict(settings(**changes), InjectConfig)


def invoke(folder: Path, *words: str) -> Any:
    return CliRunner().invoke(build_app(), ["inject", *words], catch_exceptions=False)


@pytest.fixture(scope="module", autouse=True)
def without_figures_of_trainings() -> Iterator[None]:
    """Leave out the figures of every single training, which tests of these see to: they cost more than the trainings."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("learning_curve", "parity"):
            patch.setattr(plots, name, lambda *_: None)
        yield


@pytest.fixture
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out those of the injection too, for runs that are not the first."""
    monkeypatch.setattr(report, "_draw", lambda *_: None)


@pytest.fixture(scope="module")
def finished(files: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run with two seeds, and what it printed."""
    folder, draw = tmp_path_factory.mktemp("inject") / "out", report._draw
    (files / "inject.yaml").write_text(yaml.safe_dump(settings(), sort_keys=False))
    with pytest.MonkeyPatch.context() as patch:  # figures of both seeds alone
        patch.setattr(report, "_draw", lambda at, found: draw(at, found) if len(found.seeds) == 2 else None)
        result = invoke(files, str(files / "inject.yaml"), "-o", str(folder))
    assert result.exit_code == 0, result.output
    return folder, result.output


def test_alpha_weighs_all_of_the_pool_beside_all_labelled_structures() -> None:
    injection = config(training={"epochs": 30, "validation_interval": 10, "loss": {"group_weights": {"surface": 2.0}}})
    trainings, labelled = Trainings(injection, "SchNet", 7), Labelled(Path("data"), 10)
    what = Injected(Path("weak"), 40, 0.5, robust=True)
    found = trainings.on_labelled("LA+MP", labelled, what)
    assert found.loss.group_weights == {"surface": 2.0, INJECTED: 0.5 * 10 / 40}
    assert found.loss.robust_groups == [INJECTED]
    assert (found.epochs, found.validation_interval) == (6, 2)  # as many steps: 30 x 10 = 6 x 50
    assert found.data.train == ["data/train", "weak"]
    assert found.data.thinned is None
    some = trainings.on_labelled("LA+MP", labelled, replace(what, per_epoch=1.5))
    assert some.data.thinned is not None
    assert (some.data.thinned.groups, some.data.thinned.per_epoch) == ([INJECTED], 15)
    assert some.loss.group_weights[INJECTED] == 0.5 * 10 / 15
    assert some.epochs == 12  # 30 x 10 = 12 x 25
    assert trainings.on_labelled("LA+MP", labelled, replace(what, per_epoch=9)).data.thinned is None
    longer = Trainings(injection.model_copy(update={"budget": "epochs"}), "SchNet", 7)
    assert longer.on_labelled("LA+MP", labelled, what).epochs == 30
    alone = trainings.on_labelled("LA+MP", labelled, start=Path("before"))
    assert (alone.epochs, alone.loss.robust_groups, alone.start) == (30, [], "before")
    slow = {"pretrain": {}, "training": {"optimizer": {"learning_rate": 1e-4}}}
    own = Trainings(config(methods={"MP": slow}), "SchNet", 7).on_labelled("MP", labelled, start=Path("before"))
    assert (own.optimizer.learning_rate, own.epochs) == (1e-4, 4)
    before = trainings.pretraining(Path("labels"), ["emt", "morse"])
    assert {name: head.groups for name, head in before.heads.items()} == {"emt": ["emt"], "morse": ["morse"]}
    assert (before.loss.group_weights, before.epochs) == ({}, 1)


def test_labels_that_are_injected_are_those_of_the_potential_from_the_zero_of_the_data(
    finished: tuple[Path, str], files: Path
) -> None:
    folder, _ = finished
    pool = {atoms.positions.tobytes(): atoms for atoms in read(files / "pool.extxyz", ":")}
    store = Store(folder / "seed-0/SchNet/emt/injected")
    assert len(store) == 12
    for structure in store:
        atoms = pool[structure.positions.tobytes()]
        assert structure.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
        assert structure.forces == pytest.approx(atoms.get_forces(), abs=1e-6)
    results = json.loads((folder / "results.json").read_text())
    assert results["potentials"]["emt"]["shift"]["Cu"] == pytest.approx(ZERO, abs=1e-6)
    assert results["potentials"]["emt"]["pool"]["energy"] == pytest.approx(0, abs=1e-3)
    assert results["potentials"]["emt"]["nearest"] == 1.0
    assert results["potentials"]["morse"]["labelled"]["energy"] > 1


def test_each_seed_draws_its_own_split_and_every_method_is_judged_on_it(finished: tuple[Path, str]) -> None:
    folder, output = finished
    results = json.loads((folder / "results.json").read_text())
    assert results["structures"] == {"train": 10, "validation": 3, "test": 6, "pool": 12}
    test = [sorted(s.positions.tobytes() for s in Store(folder / f"seed-{k}/data/test")) for k in (0, 1)]
    assert test[0] != test[1]
    own = {(o["method"], o["seed"]): o for o in results["outcomes"]}
    assert len(own) == 6
    for method in ("LA+MP", "emt"):
        gains = [1 - own[method, k]["test"]["energy"] / own["scratch", k]["test"]["energy"] for k in (0, 1)]
        row = next(row for row in results["rows"] if row["method"] == method)
        deviation = np.std(gains, ddof=1)
        assert row["gain"]["energy"] == pytest.approx([np.mean(gains), deviation, deviation / np.sqrt(2)])
    tried = own["LA+MP", 0]["validation"]
    assert own["LA+MP", 0]["alpha"] == min((0.5, 2.0), key=lambda alpha: tried[str(alpha)])
    assert "LA+MP" in output
    with (folder / "results.csv").open() as file:
        assert [row["method"] for row in csv.DictReader(file)] == ["scratch", "LA+MP", "emt"]
    for name in (
        "table.md",
        "potentials.csv",
        "choices.csv",
        "gains.png",
        "choice-shares.png",
        "map-SchNet.png",
        "map-SchNet.csv",
        "comparison.csv",
        "outliers-SchNet.png",
        "outliers-SchNet.csv",
    ):
        assert (folder / name).stat().st_size > 0, name


def test_the_pretrained_representation_is_what_the_training_begins_with(finished: tuple[Path, str]) -> None:
    run = finished[0] / "seed-0/SchNet/LA+MP/alpha-2"
    training = load_yaml(run / "config.yaml", TrainConfig)
    assert (run / str(training.start)).resolve() == (finished[0] / "seed-0/SchNet/pretrained-all").resolve()
    assert list(training.heads) == ["dft"]


def test_too_few_injected_labels_in_a_batch_are_said_before_the_trainings(finished: tuple[Path, str]) -> None:
    # 10 labelled structures and 12 injected ones in batches of 4, with both alphas of LA+MP
    assert "seed 1: 2 of 4 trainings have 2.2 to 2.2 injected energies in a batch on average" in finished[1]


@pytest.mark.slow
@pytest.mark.usefixtures("without_figures")
def test_labels_of_the_pool_are_seen_by_nobody_who_learns(
    finished: tuple[Path, str], files: Path, tmp_path: Path
) -> None:
    bare = settings(seeds=[0])
    bare["data"]["pool"] = ["bare.extxyz"]
    found = run_injection(from_dict(bare, InjectConfig), files, tmp_path / "out")
    seen = json.loads((finished[0] / "results.json").read_text())["outcomes"]
    for outcome in found.outcomes:
        other = next(o for o in seen if (o["method"], o["seed"]) == (outcome.method, 0))
        assert outcome.test == pytest.approx(other["test"], rel=1e-9)
        assert (outcome.pool, bool(other["pool"])) == ({}, True)


@pytest.mark.usefixtures("without_figures")
def test_a_resumed_run_does_what_is_new_and_nothing_else(
    finished: tuple[Path, str], files: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(finished[0], tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("kept.safetensors")}
    near = {"augment": {"alpha": [1], "potentials": ["morse"]}}
    further = {
        "methods": {**settings()["methods"], "near": near},
        "variants": {"near": ["tukey"]},
    }
    found = run_injection(config(**further, seeds=[0]), files, folder, resume=True)
    assert [o.method for o in found.outcomes] == [*further["methods"], "near-squares"]
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("kept.safetensors")}
    assert {path: after[path] for path in before} == before
    assert {path.parts[-4] for path in after.keys() - before.keys()} == {"near", "near-squares"}
    # it chooses among one potential, and has rows and a figure of its own beside the one that chooses among all
    with (folder / "choices.csv").open() as file:
        choices = list(csv.DictReader(file))
    assert {(row["chooses among"], row["for"]) for row in choices} == {("all", "LA+MP"), ("morse", "near")}
    assert [row["part"] for row in choices] == ["test", "pool", "low", "medium", "high"] * 2
    near_to_pool = next(row for row in choices if (row["for"], row["part"]) == ("near", "pool"))
    assert near_to_pool["structures"] == "12"
    assert (near_to_pool["none"], near_to_pool["right [%]"], near_to_pool["outliers [%]"]) == ("0", "100", "0")
    draw(folder, found)
    assert (folder / "outliers-SchNet-morse.png").stat().st_size > 0
    assert "SchNet,morse,none" in (folder / "choice-shares.csv").read_text()
    # a classifier of one potential alone, within a tau so large that it is always near
    labels = {s.positions.tobytes(): s.energy for s in found.seeds[0].pool_labels[1] if s is not None}
    assert [s.energy for s in Store(folder / "seed-0/SchNet/near/injected")] == list(labels.values())
    runs = {name: folder / f"seed-0/SchNet/{name}/alpha-1/config.yaml" for name in ("near", "near-squares")}
    robust = {name: load_yaml(path, TrainConfig).loss.robust_groups for name, path in runs.items()}
    assert robust == {"near": [INJECTED], "near-squares": []}


@pytest.mark.usefixtures("without_figures")
def test_a_classifier_that_chooses_nothing_is_said(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {
        "classifier": {**settings()["classifier"], "tau": 1e-6},
        "methods": {"scratch": {}, "LA": {"augment": {"alpha": [1]}}},
        "potentials": {"morse": "morse.yaml", "again": "morse.yaml"},  # the labels are those of EMT
    }
    found = run_injection(config(seeds=[0], **changes), files, tmp_path / "out")
    assert (
        "seed 0, SchNet, LA: no label is chosen, so nothing is injected; see classifier.tau" in capsys.readouterr().out
    )
    scratch, augmented = found.outcomes
    assert augmented.injected == 0
    assert augmented.test == scratch.test


@pytest.mark.usefixtures("without_figures")
def test_a_run_that_was_killed_ends_with_the_same_numbers(
    finished: tuple[Path, str], files: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    shutil.copytree(finished[0], folder)
    learnt = folder / "seed-1/SchNet"
    shutil.rmtree(folder / "labels/morse")
    (learnt / "LA+MP/alpha-2/card.yaml").unlink()  # killed before its end
    shutil.rmtree(learnt / "emt")
    (learnt / "classifier.json").write_text("{")
    own = load_yaml(folder / "inject.yaml", InjectConfig).model_copy(update={"seeds": [1]})
    found = run_injection(own, files, folder, resume=True)
    outcomes = json.loads((finished[0] / "results.json").read_text())["outcomes"]
    expected = [outcome for outcome in outcomes if outcome["seed"] == 1]
    assert len(expected) == 3
    for outcome, other in zip(found.outcomes, expected, strict=True):
        assert (outcome.method, outcome.seed, outcome.alpha) == (other["method"], other["seed"], other["alpha"])
        assert outcome.test == pytest.approx(other["test"], rel=1e-9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"methods": {"scratch": {}, "emt": {"augment": {"labels": "morse"}}}}, "methods.emt changed"),
        ({"classifier": {"epochs": 3}}, "classifier changed"),
        ({"architectures": {"SchNet": {"potential": SCHNET, "training": {"epochs": 5}}}}, "epochs changed"),
    ],
)
def test_what_has_begun_keeps_its_settings(
    finished: tuple[Path, str], files: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        run_injection(config(**changes), files, finished[0], resume=True)


def test_other_data_are_refused(finished: tuple[Path, str], files: Path, tmp_path: Path) -> None:
    for name in ("labelled.extxyz", "morse.yaml"):
        (tmp_path / name).write_text((files / name).read_text())
    write(tmp_path / "pool.extxyz", read(files / "pool.extxyz", "1:"))
    with pytest.raises(ConfigError, match="structures changed since"):
        run_injection(config(), tmp_path, finished[0], resume=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"methods": {"a": {"augment": {"labels": "mose"}}}}, "there is no potential 'mose'; give one of emt, morse"),
        ({"methods": {"a": {"pretrain": {"potentials": ["x"]}}}}, "there is no potential 'x'"),
        ({"methods": {"a": {"augment": {"alpha": [1, 1]}}}}, "must differ"),
        ({"potentials": {"none": "morse.yaml", "emt": "morse.yaml"}}, "'none' has another meaning"),
        ({"training": {"seed": 3}}, "training may not hold seed"),
        ({"training": {"epoch": 3}}, "epochs"),
        ({"judge": "stress"}, "judge: no labelled structure has stress"),
        ({"potentials": {"emt": {"kind": "ase", "name": "emd"}, "b": "morse.yaml"}}, "potentials.emt: "),
        ({"data": {**settings()["data"], "pool_size": 50}}, "50 structures are asked for, and there are 12"),
        ({"seeds": [1, 1]}, "`seeds` must differ"),
    ],
)
def test_wrong_settings_are_said_before_anything_is_written(
    files: Path, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    (files / "wrong.yaml").write_text(yaml.safe_dump(settings(**changes)))
    result = CliRunner().invoke(build_app(), ["inject", str(files / "wrong.yaml"), "-o", str(tmp_path / "out")])
    assert words in str(result.exception)
    assert not (tmp_path / "out").exists()
