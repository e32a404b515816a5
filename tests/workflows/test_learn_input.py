"""`unnp learn`: what cannot work is said, with what is allowed, before anything is done."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.calculators.emt import EMT
from ase.io import read, write
from learn_runs import config, settings, write_files
from unnp.config.kinds import check_kind
from unnp.data.opening import open_structures
from unnp.data.store import Store
from unnp.errors import ConfigError, DataError, TrainingError, UnnpError
from unnp.workflows.learn.labels import incomplete
from unnp.workflows.learn.loop import Loop
from unnp.workflows.learn.run import run_learning
from unnp.workflows.learn.steps import read_steps

EMT_LABELS = {"kind": "ase", "name": "emt"}
EAM = {"kind": "lammps", "elements": ["Al"], "pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs Al"]}
COPPER = {"kind": "lammps", "elements": ["Cu"], "pair_style": "zbl 3 4", "pair_coeff": ["1 1 29 29"]}
EXCHANGE = {"kind": "exchange", "elements": ["Al", "Cu"], "count": 1}
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
        ({"label": {"kind": "ase", "name": "emtt"}}, "label: unknown ASE calculator 'emtt'.*Did you mean 'emt'"),
        ({"label": {**EAM, "pair_coeff": ["* * Al_mm.eam.fs Xx"]}}, "label: LAMMPS: .*Al_mm.eam.fs Xx"),
        ({"label": {**EAM, "elements": ["Al", "Cu"], "pair_coeff": ["1 1 Al_mm.eam.fs Al"]}}, "label: .*Al_mm"),
        (
            {"propose": {"made": EXCHANGE}, "label": EMT_LABELS, "judge": {}},
            r"start\.random: there is no proposer that works without a model",
        ),
        ({"propose": {"made": EXCHANGE}}, "have no labels to reveal"),
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


def test_structures_of_a_pool_without_labels_are_said_before_anything_is_done(files: Path, tmp_path: Path) -> None:
    frames = read(files / "pool.extxyz", ":")
    frames[7].calc = frames[11].calc = None
    write(tmp_path / "pool.extxyz", frames)
    with pytest.raises(
        DataError, match=r"2 of the 20 structures of the pool have no .* the first is .*pool\.extxyz.* 7"
    ):
        run_learning(config(judge={}), tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    Loop(config(judge={"pool": {"kind": "pool"}}, label=EMT_LABELS), tmp_path, tmp_path / "out")


class ReachedError(Exception):
    """The loop has come to its training."""


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise ReachedError

    monkeypatch.setattr(Loop, "_train", stop)


@pytest.mark.usefixtures("untrained")
def test_a_label_may_be_corrected_until_it_has_labelled(files: Path, tmp_path: Path) -> None:
    """COPPER starts, and knows no aluminium."""
    with pytest.raises(DataError, match=r"none of the 4 structures could be labelled; the first: .*names only Cu"):
        run_learning(config(label=COPPER), files, tmp_path / "out")
    with pytest.raises(ReachedError):
        run_learning(config(label=EMT_LABELS), files, tmp_path / "out", resume=True)
    labelled = Store(tmp_path / "out/round-000/labelled")[0]
    atoms = labelled.to_atoms()
    atoms.calc = EMT()
    assert labelled.energy == pytest.approx(atoms.get_potential_energy())
    with pytest.raises(ConfigError, match="label changed since"):
        run_learning(config(label=EAM), files, tmp_path / "out", resume=True)


@pytest.mark.usefixtures("untrained")
def test_a_first_model_that_would_learn_nothing_is_an_error_until_there_is_something(tmp_path: Path) -> None:
    write_files(tmp_path)
    pool = (tmp_path / "pool.extxyz").rename(tmp_path / "later.extxyz")
    (tmp_path / "run").mkdir()
    captured = {"kind": "captured", "data": ["run"]}
    given = config(propose={"earlier": captured}, label=EMT_LABELS, judge={})
    with pytest.raises(
        DataError, match=r"nothing that a first model could learn: no structure is proposed \(earlier: 0\)"
    ):
        run_learning(given, tmp_path, tmp_path / "out")
    assert read_steps(tmp_path / "out/round-000") == {}
    frames = read(pool, ":4")
    for k, atoms in enumerate(frames):
        atoms.calc = None
        atoms.info = {"step": k, "unnp_max_force_deviation": 0.1, "unnp_max_force": 1.0, "unnp_lost_atoms": 0}
        atoms.arrays["unnp_force_deviation"] = np.full(4, 0.1)
    write(tmp_path / "run/captured.kept.extxyz", frames)
    with pytest.raises(ReachedError):
        run_learning(given, tmp_path, tmp_path / "out", resume=True)
    assert len(Store(tmp_path / "out/round-000/labelled")) == 4


@pytest.mark.usefixtures("untrained")
def test_labels_that_only_some_structures_have_count_where_they_are(files: Path, tmp_path: Path) -> None:
    """The start has no stresses, EMT gives them: data that are opened as the training does it have both."""
    frames = read(files / "test.extxyz", ":")
    for atoms in frames:
        atoms.calc.results.pop("stress")
    write(tmp_path / "start.extxyz", frames)
    shutil.copy(files / "pool.extxyz", tmp_path / "pool.extxyz")
    given = config(start={"data": ["start.extxyz"], "random": 2}, label=EMT_LABELS, judge={})
    with pytest.raises(ReachedError):
        run_learning(given, tmp_path, tmp_path / "out")
    data = Loop(given, tmp_path, (tmp_path / "out").absolute())._member(0, 0).config.data
    assert [s.stress is None for s in open_structures(data.train, data.read)] == [True] * 3 + [False] * 2
    assert incomplete([Store(path) for path in data.train]) == {"stress": 3}
    strict = {**settings()["train"], "data": {"validation": 0.3, "read": {"missing": "error"}}}
    asked = config(start={"data": ["start.extxyz"], "random": 2}, label=EMT_LABELS, judge={}, train=strict)
    assert Loop(asked, tmp_path, (tmp_path / "out").absolute())._member(0, 0).config.data.read.missing == "error"
