"""Uncertainty inside `unnp md`: frames captured and sorted out, runs stopped, settings refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.config import from_dict
from unnp.data.limits import DUPLICATE, ISOLATED, LARGE_FORCE, TOO_CLOSE, FrameLimits
from unnp.data.opening import open_structures
from unnp.data.readers.options import UNLABELLED
from unnp.errors import ConfigError, LammpsError, UnnpError
from unnp.lammps.captured import LOST, keep_captured, read_captured, sort_out
from unnp.lammps.system import System
from unnp.workflows.md.config import MdConfig
from unnp.workflows.md.deck import resume_deck, start_deck
from unnp.workflows.md.run import run_md

BASE = {
    "structure": {"element": "Al", "lattice": "fcc", "a": 4.05, "repeat": [2, 2, 2]},
    "potential": {"model": "small.pt"},
    "ensemble": "nve",
    "temperature": 900,
    "steps": 20,
    "thermo": 5,
    "dump": None,
    "device": "cpu",
}
CAPTURE = {"threshold": 1e-9, "every": 2, "apart": 4, "most": 4}


def make(**settings: object) -> MdConfig:
    return from_dict({**BASE, **settings}, MdConfig)


def frame(atoms: ase.Atoms, step: int, force: float = 1.0, lost: int = 0) -> str:
    cell = " ".join(f"{x:g}" for x in atoms.cell.array.ravel())
    head = f'Lattice="{cell}" Properties=species:S:1:pos:R:3:unnp_force_deviation:R:1 pbc="T T T" step={step} '
    head += f"unnp_max_force_deviation=0.5 unnp_max_force={force} unnp_lost_atoms={lost}"
    rows = [f"{s} {x:.6f} {y:.6f} {z:.6f} 0.5" for s, (x, y, z) in zip(atoms.symbols, atoms.positions, strict=True)]
    return "\n".join([str(len(atoms)), head, *rows]) + "\n"


@pytest.fixture
def captured(tmp_path: Path) -> Path:
    """Return a file with two good frames, one for each reason to leave one out, and a last one that was cut short."""
    atoms = bulk("Al", cubic=True) * (2, 2, 2)
    rattled, close, gone = atoms.copy(), atoms.copy(), atoms.copy()
    rattled.rattle(0.1, seed=1)
    close.positions[0] = close.positions[1] + [0.8, 0, 0]
    gone.set_cell([8.1, 8.1, 30.0])
    gone.positions[0] += [0, 0, 20.0]
    texts = [frame(atoms, 0), frame(rattled, 100), frame(rattled, 200), frame(close, 300), frame(gone, 400)]
    texts += [frame(rattled, 500, force=80.0), frame(rattled, 600, lost=2), frame(rattled, 700)[:-30]]
    path = tmp_path / "captured.extxyz"
    path.write_text("".join(texts))
    return path


def test_frames_are_sorted_out_and_the_reasons_counted(captured: Path, tmp_path: Path) -> None:
    frames = list(read_captured(captured))
    assert [f.step for f in frames] == [0, 100, 200, 300, 400, 500, 600]
    assert frames[1].structure.source == f"{captured} step 100"
    found = sort_out(frames, FrameLimits())
    assert [f.step for f in found.kept] == [0, 100]
    assert found.left_out == dict.fromkeys((DUPLICATE, TOO_CLOSE, ISOLATED, LARGE_FORCE, LOST), 1)
    assert found.summary == {"captured": 7, "kept": 2, "left_out": found.left_out}
    assert len(sort_out(frames, None).kept) == 7
    assert sort_out(frames, FrameLimits(max_force=100.0, duplicate=None)).left_out == {
        TOO_CLOSE: 1,
        ISOLATED: 1,
        LOST: 1,
    }


def test_frames_that_are_kept_stand_in_one_file_as_they_were(captured: Path, tmp_path: Path) -> None:
    target = tmp_path / "kept.extxyz"
    keep_captured([captured, tmp_path / "none.extxyz"], FrameLimits(), target)
    assert captured.read_text().startswith(target.read_text())
    assert len(open_structures(target, UNLABELLED)) == 2
    assert keep_captured([], FrameLimits(), target).summary == {"captured": 0, "kept": 0, "left_out": {}}
    assert not target.exists()
    with pytest.raises(UnnpError):
        keep_captured([captured], FrameLimits(), tmp_path / "nowhere" / "kept.extxyz")


@pytest.mark.parametrize(
    "text", ["x\n", "1\nProperties=species:S:1:pos:R:3\nAl 0 0 0\n", "1\nstep=3\nAl 0 nothing 0\n"]
)
def test_a_file_of_something_else_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "captured.extxyz"
    path.write_text(text)
    with pytest.raises(LammpsError, match="damaged"):
        list(read_captured(path))


def test_the_deck_captures_into_one_file_for_all_parts_of_a_run() -> None:
    system = System(
        "Al, 4 atoms", ["Al"], "p p p", ["pair_style      unnp device cpu", "pair_coeff      * * model.pt Al"]
    )
    config = make(deviation=5, capture={"threshold": 0.3}, stop={"threshold": 1.5, "every": 20})
    words = "unnp device cpu deviation {} 5 capture captured.extxyz 0.3 10 apart 100 most 100 stop 1.5 20\n"
    assert words.format("deviation.out") in start_deck(config, system)
    assert words.format("deviation.2.out") in resume_deck(config, system, "restart.a", 2)
    assert "pair_style      unnp device cpu\n" in start_deck(make(), system)


def test_frames_are_captured_sorted_out_and_said(small_model: Path, tmp_path: Path) -> None:
    shutil.copy(small_model, tmp_path / "small.pt")
    (tmp_path / "md.yaml").write_text(json.dumps({**BASE, "capture": CAPTURE, "ranks": 2}))
    result = CliRunner().invoke(build_app(), ["md", str(tmp_path / "md.yaml"), "-o", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert "Frames captured: 4, left out: 0" in result.output
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    assert summary["captured"] == {"captured": 4, "kept": 4, "left_out": {}}
    frames = ase.io.read(tmp_path / "run/captured.kept.extxyz", ":")
    assert [f.info["step"] for f in frames] == [2, 6, 10, 14]  # at 0 the crystal is perfect
    assert all(len(f) == 32 and "unnp_force_deviation" in f.arrays for f in frames)


def test_a_resumed_run_goes_on_in_the_same_file(small_model: Path, tmp_path: Path) -> None:
    shutil.copy(small_model, tmp_path / "small.pt")
    capture = {**CAPTURE, "apart": 8, "most": 10, "limits": None}
    run_md(make(capture=capture), tmp_path, tmp_path / "run")
    result = run_md(make(capture=capture, steps=40), tmp_path, tmp_path / "run", resume=True)
    assert [f.step for f in read_captured(tmp_path / "run/captured.extxyz")] == [2, 10, 18, 26, 34]
    assert result.summary["captured"]["captured"] == 5


def test_a_run_that_fails_leaves_its_frames(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(small_model, tmp_path / "small.pt")
    atoms = bulk("Al", cubic=True) * (2, 2, 2)
    atoms.rattle(0.1, seed=1)
    atoms.write(tmp_path / "al.extxyz")
    config = make(structure={"file": "al.extxyz"}, capture=CAPTURE, temperature=1e9, timestep=20.0, steps=200)
    with pytest.raises(LammpsError):
        run_md(config, tmp_path, tmp_path / "run")
    assert "captured: 1, left out: 0" in capsys.readouterr().out
    assert [f.step for f in read_captured(tmp_path / "run/captured.kept.extxyz")] == [0]


def test_a_stopped_run_says_so_and_can_go_on_without(small_model: Path, tmp_path: Path) -> None:
    shutil.copy(small_model, tmp_path / "small.pt")
    run_md(make(deviation=1), tmp_path, tmp_path / "free")
    largest = np.loadtxt(tmp_path / "free/deviation.out")[:, 1]
    step = int(np.argmax(largest[:15] >= largest[5:15].max()))
    config = make(stop={"threshold": float(largest[step] * (1 - 1e-9)), "every": 1})
    result = run_md(config, tmp_path, tmp_path / "run")
    assert result.summary["stopped"].startswith(f"stopped at step {step}: the deviation of a force, ")
    assert (tmp_path / "run/final.restart").exists()
    result = run_md(make(), tmp_path, tmp_path / "run", resume=True)
    assert "stopped" not in result.summary
    assert result.summary["steps"] == 20


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"capture": {"threshold": 0.0}}, "capture.threshold"),
        ({"capture": {"threshold": -1.0}}, "capture.threshold"),
        ({"capture": {"threshold": "nan"}}, "capture.threshold"),
        ({"capture": {}}, "capture.threshold"),
        ({"capture": {"threshold": 1, "apart": 0}}, "capture.apart"),
        ({"capture": {"threshold": 1, "evry": 5}}, "Did you mean 'every'"),
        ({"stop": {"threshold": 0}}, "stop.threshold"),
        ({"stop": {"threshold": 1, "every": 0}}, "stop.every"),
        (
            {"stop": {"threshold": 1}, "potential": {"pair_style": "eam/fs", "pair_coeff": ["* * a Al"]}},
            "needs `potential",
        ),
        ({"potential": {"kim": "x", "last_layer": "a.safetensors"}}, "`last_layer` is of a `model`"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make(**settings)


def test_a_model_without_deviations_is_refused_before_lammps_starts(write_model, tmp_path: Path) -> None:
    write_model(tmp_path / "small.pt")
    for name in ("capture", "stop"):
        with pytest.raises(ConfigError, match=rf"{name}: small\.pt holds one model, .* potential\.last_layer"):
            run_md(make(**{name: {"threshold": 0.1}}), tmp_path, tmp_path / name)
    with pytest.raises(UnnpError, match=r"cannot read .*none\.safetensors"):
        run_md(make(potential={"model": "small.pt", "last_layer": "none.safetensors"}), tmp_path, tmp_path / "none")


def test_a_file_that_cannot_be_written_is_said(small_model: Path, tmp_path: Path) -> None:
    shutil.copy(small_model, tmp_path / "small.pt")
    (tmp_path / "run/captured.extxyz").mkdir(parents=True)
    with pytest.raises(LammpsError, match=r"cannot write the captured frames 'captured\.extxyz': Is a directory"):
        run_md(make(capture=CAPTURE), tmp_path, tmp_path / "run")
