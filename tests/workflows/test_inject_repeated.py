"""Structures that an injection is given twice: in the pool or the test files, and among those labelled."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.io import read, write
from emt_frames import write_emt_frames
from unnp import plots
from unnp.config import from_dict
from unnp.errors import DataError
from unnp.workflows.inject import material, report
from unnp.workflows.inject.config import InjectConfig
from unnp.workflows.inject.material import open_material
from unnp.workflows.inject.run import run_injection

DATA = {"labelled": ["labelled.extxyz"], "test": 0.25, "validation": 0.2, "pool": ["pool.extxyz"]}
MORSE = {"epsilon": 0.3, "r0": 2.7, "rho0": 4, "rcut1": 1.5, "rcut2": 1.9}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copper with labels of EMT: 24 frames, and a pool of 12."""
    folder = tmp_path_factory.mktemp("data")
    write_emt_frames(folder, {"labelled": 24, "pool": 12}, "Cu", 3.6, 0.1)
    return folder


def config(**changes: Any) -> InjectConfig:
    schnet = {"cutoff": 4.0, "features": 4, "interactions": 1, "gaussians": 6}
    given = {
        "data": {**DATA, **changes},
        "potentials": {
            "emt": {"kind": "ase", "name": "emt"},
            "morse": {"kind": "ase", "name": "morse", "parameters": MORSE},
        },
        "architectures": {"SchNet": {"potential": {"architecture": "schnet", "settings": schnet}}},
        "methods": {"scratch": {}},
        "training": {"epochs": 2, "batch_size": 4, "threads": 1, "loss": {"forces": {"weight": 0}}},
        "seeds": [0],
        "executor": {"kind": "here"},
        "device": "cpu",
    }
    return from_dict(given, InjectConfig)


def twice(files: Path, folder: Path) -> None:
    """Write the files again, with two labelled frames in the pool too, one with fewer digits and as another group."""
    shutil.copytree(files, folder, dirs_exist_ok=True)
    again = read(files / "labelled.extxyz", "3:5")
    again[1].positions = np.round(again[1].positions, 5) + 1e-6
    again[1].info["group"] = "other"
    write(folder / "pool.extxyz", [*read(files / "pool.extxyz", ":"), *again])


def test_structures_of_the_pool_that_are_labelled_are_left_out(files: Path, tmp_path: Path) -> None:
    twice(files, tmp_path)
    data = config().data
    found = open_material(data, tmp_path)
    assert len(found.pool) == 12
    assert found.said == "2 of 14 structures of the pool are labelled or test structures too, and are left out."
    drawn = open_material(data.model_copy(update={"pool_size": 12}), tmp_path)
    assert len(drawn.pool) == 12
    assert open_material(data, files).said == ""
    write(tmp_path / "labelled.extxyz", [*read(files / "labelled.extxyz", ":"), read(files / "labelled.extxyz", "2")])
    both = open_material(data, tmp_path)
    assert (both.n_labelled, len(both.pool)) == (25, 12)
    assert both.said.startswith("1 labelled structures repeat others of them")
    assert both.said.endswith(found.said)
    write(tmp_path / "pool.extxyz", read(files / "labelled.extxyz", ":3"))
    with pytest.raises(DataError, match="all structures of the pool are labelled or test structures too"):
        open_material(data, tmp_path)


def test_a_test_file_with_labelled_structures_is_refused(files: Path, tmp_path: Path) -> None:
    twice(files, tmp_path)
    tested = [*read(files / "pool.extxyz", "3:"), *read(files / "labelled.extxyz", "7:9")]
    write(tmp_path / "test.extxyz", tested)
    data = config(test=["test.extxyz"]).data
    with pytest.raises(DataError, match=r"2 of 11 test structures are labelled structures too, the first is .*test"):
        open_material(data, tmp_path)
    write(tmp_path / "test.extxyz", tested[:-2])
    found = open_material(data, tmp_path)  # 9 of the pool are test structures, 2 are labelled
    assert (found.n_test, len(found.pool)) == (9, 3)
    assert "11 of 14 structures" in found.said


def test_a_run_that_has_begun_with_repeated_structures_goes_on_with_them(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    twice(files, tmp_path)
    few = config()
    for where, name in ((report, "_draw"), (plots, "learning_curve"), (plots, "parity")):
        monkeypatch.setattr(where, name, lambda *_: None)
    with monkeypatch.context() as patch:  # as an earlier release, which does not compare them
        patch.setattr(material, "_alike", id)
        first = run_injection(few, tmp_path, tmp_path / "out")
    capsys.readouterr()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.safetensors")}
    found = run_injection(few, tmp_path, tmp_path / "out", resume=True)
    assert (
        "0 test structures are labelled ones too, and 2 of the pool labelled or test structures. They stay"
        in capsys.readouterr().out
    )
    assert [o.test for o in found.outcomes] == [o.test for o in first.outcomes]
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.safetensors")} == before
