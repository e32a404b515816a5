"""`unnp learn`: what cannot work is said, with what is allowed, before anything is done."""

from pathlib import Path
from typing import Any

import pytest
from learn_runs import config, settings, write_files
from unnp.config.kinds import check_kind
from unnp.errors import ConfigError, DataError, TrainingError, UnnpError
from unnp.workflows.learn.loop import Loop
from unnp.workflows.learn.run import run_learning
from unnp.workflows.learn.steps import read_steps

EMT_LABELS = {"kind": "ase", "name": "emt"}
HOT = {"kind": "md", "runs": [{"steps": 5, "potential": {"model": "other.pt"}}]}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_files(folder)
    return folder


def test_a_damaged_record_is_said(tmp_path: Path) -> None:
    assert read_steps(tmp_path) == {}
    (tmp_path / "steps.json").write_text('{"select": {"result": 3}}')
    with pytest.raises(DataError, match=r"steps\.json is damaged\. Delete it"):
        read_steps(tmp_path)


def test_a_training_that_cannot_go_on_is_said(files: Path, tmp_path: Path) -> None:
    broken = {**settings()["train"], "loss": {"forces": {"weight": 1e38}, "energy": {"weight": 1e38}}}
    with pytest.raises(TrainingError, match=r"member-0 cannot be trained: .*not finite"):
        run_learning(config(train=broken, attempts=1), files, tmp_path / "out")


def test_the_settings_of_each_kind_are_read_once(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def reading(registry: Any, own: Any, where: str) -> Any:
        read.append(where)
        return check_kind(registry, own, where)

    monkeypatch.setattr("unnp.workflows.learn.config.check_kind", reading)
    loop = Loop(config(stop={"error": {"judge": "pool", "below": 1.0}}), files, tmp_path)
    parts = [where for where in read if where != "executor"]
    assert parts == ["propose.pool", "judge.pool", "judge.test", "judge.new", "select"]
    assert loop.selector.config.sigmas == 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"propose": {"pool": {"kind": "pole"}}}, r"propose\.pool: unknown proposer 'pole'.*Did you mean 'pool'"),
        ({"propose": {"pool": {"kind": "pool"}}}, r"data: Field required"),
        ({"select": {"kind": "random"}}, "most: Field required"),
        (
            {"select": {"kind": "deviation", "sigmas": 40, "over": "frame"}},
            r"among the \d+ atoms of a structure none can be 40 standard deviations",
        ),
        ({"select": {"kind": "forces"}}, r"select \(forces\).*give `most`, `above` or both"),
        ({"members": 1}, "compares the members of a committee; give two `members` or more"),
        (
            {"members": 1, "select": {"kind": "random", "most": 2}, "calibrate": True},
            "`calibrate` is of the deviations of a committee.*the last layer of one member is calibrated on what",
        ),
        ({"start": {}}, "`start` is empty"),
        ({"train": {**settings()["train"], "seed": 3}}, "train may not hold seed, which the loop sets itself"),
        ({"train": {**settings()["train"], "data": {"train": ["x"]}}}, r"may not hold data\.train"),
        ({"train": {"epoch": 3}}, r"\n  train: epoch: unknown key.*Did you mean 'epochs'"),
        ({"warm": {"epochs": 0}}, "greater than 0"),
        ({"judge": {"pool": {"kind": "files"}}}, r"judge\.pool \(files\).*data: Field required"),
        ({"stop": {"error": {"judge": "tset", "below": 1}}}, "there is no judge 'tset'; give one of pool, test, new"),
        (
            {"stop": {"error": {"judge": "test", "number": "energy_me", "below": 1}}},
            "no 'energy_me'; it says energy_mae",
        ),
        ({"executor": {"kind": "cluster"}}, "unknown executor 'cluster'"),
        ({"label": {"kind": "ase", "nam": "emt"}}, "nam: unknown key"),
        ({"propose": {"made": {"kind": "exchange", "elements": ["Al", "Cu"], "count": 1}}}, "have no labels to reveal"),
        ({"propose": {"hot": HOT}, "label": EMT_LABELS}, r"runs\.0 may not hold `potential`"),
    ],
)
def test_wrong_settings_are_said_before_anything_is_done(
    changes: dict[str, Any], message: str, files: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        run_learning(config(**changes), files, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"propose": {"pool": {"kind": "pool", "data": ["nothing.extxyz"]}}}, DataError, "nothing.extxyz"),
        ({"judge": {"test": {"kind": "files", "data": ["gone.extxyz"]}}}, DataError, "gone.extxyz"),
        ({"start": {"data": ["gone.extxyz"]}}, DataError, "gone.extxyz"),
    ],
)
def test_missing_files_are_said_before_anything_is_done(
    changes: dict[str, Any], error: type[UnnpError], message: str, files: Path, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        run_learning(config(**changes), files, tmp_path / "out")
    assert not (tmp_path / "out").exists()
