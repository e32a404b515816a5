"""`unnp sample momt` end to end with real LAMMPS: what a run leaves, going on after a kill, wrong input."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import ase.io
import numpy as np
import pytest
import yaml
from momt_runs import AL, SHORT, make
from typer.testing import CliRunner
from unnp.adapters.ase import UnnpCalculator
from unnp.cli import build_app
from unnp.data.labellers import build_labeller
from unnp.data.readers import read_structures
from unnp.errors import ConfigError, LammpsError
from unnp.lammps.run import run_lammps
from unnp.sampling.samples import read_samples
from unnp.workflows.momt.compare.run import compare
from unnp.workflows.momt.folder import read_record, walker_logs
from unnp.workflows.momt.run import run_momt
from unnp.workflows.momt.watch.tail import last_rows

pytestmark = pytest.mark.long

EAM = {"kind": "lammps", "elements": ["Al"], "pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs Al"]}


def test_a_run_leaves_decks_logs_frames_and_a_summary(finished: Path) -> None:
    summary = json.loads((finished / "summary.json").read_text())
    assert summary["stages"]["adapt"]["time_ps"] == 4
    assert summary["stages"]["production"]["time_ps"] == 8
    assert "round trips" in summary["stages"]["production"]["ended"]
    assert not summary["stages"]["production"]["held"]
    assert summary["frames"] == 30
    assert summary["analysis"]["melting"] is None
    assert summary["analysis"]["refusal"]
    samples = read_samples(walker_logs(finished, "production"))
    assert np.unique(samples.step[samples.walker == 1]).tolist() == list(range(0, 4001, 25))
    assert len(np.unique(samples.updates)) == 1
    record = read_record(finished)
    assert record.chunks == {"observe": 2, "adapt": 2, "production": 4}
    assert record.basins is not None
    assert 0 < record.basins.liquid < record.basins.solid < 1
    assert -110 < record.basins.enthalpies[0] < record.basins.enthalpies[1] < -90
    assert len(list((finished / "production").glob("restart.*"))) == 2


def test_production_is_drawn_with_the_bias_that_adaptation_left(finished: Path) -> None:
    adapted = json.loads((finished / "adapt/state.json").read_text())
    used = json.loads((finished / "production/state.json").read_text())
    assert used["bias"]["free_energies"] == adapted["bias"]["free_energies"]
    assert used["bias"]["updates"] == adapted["bias"]["updates"] == 2 * 2000 // 25


def test_frames_carry_the_labels_of_the_potential_alone(finished: Path) -> None:
    structures = read_structures(finished / "frames.extxyz")
    labeller = build_labeller(EAM, finished)
    for structure in structures[::7]:
        expected = labeller.label(structure)
        assert structure.energy == pytest.approx(expected.energy, abs=1e-8)
        assert np.allclose(structure.forces, expected.forces, atol=1e-7)
        assert np.allclose(structure.stress, expected.stress, atol=1e-9)
    assert {structure.group for structure in structures} <= {"solid", "liquid", "between"}


def test_frames_carry_enthalpy_order_and_weight_of_their_rows(finished: Path) -> None:
    frames = ase.io.read(finished / "frames.extxyz", ":")
    samples = read_samples(walker_logs(finished, "production"))
    for frame in frames:
        row = np.abs(samples.enthalpy - frame.info["H"]).argmin()
        assert frame.info["s"] == pytest.approx(samples.order[row], abs=1e-12)
        assert frame.get_potential_energy() == pytest.approx(samples.energy[row], abs=1e-6)
        assert frame.get_volume() == pytest.approx(samples.volume[row], rel=1e-9)
    assert np.mean([frame.info["weight"] for frame in frames]) == pytest.approx(1.0)


def test_decks_run_by_themselves(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "copy")
    log = folder / "production/momt.0.log"
    before = log.read_text()
    run_lammps(folder / "in.production.lammps", partitions=2)
    assert before.startswith(log.read_text())


def test_a_finished_run_is_extended_and_its_frames_are_chosen_anew(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "copy")
    stages = {**SHORT["stages"], "production": {"min": 10, "max": 10}}
    result = run_momt(make(stages=stages, frames={"wanted": 12, "flat": False}), tmp_path, folder, resume=True)
    assert result.summary["stages"]["production"]["time_ps"] == 10
    assert len(ase.io.read(folder / "frames.extxyz", ":")) == 12
    again = run_momt(make(stages=stages, frames={"wanted": 12, "flat": False}), tmp_path, folder, resume=True)
    assert again.summary == result.summary


def test_a_run_begins_with_the_bias_of_another(finished: Path, tmp_path: Path) -> None:
    """Its first update adds to as many as the other has made."""
    stages = {**SHORT["stages"], "adapt": {"min": 2, "max": 2}, "production": {"min": 2, "max": 2}}
    run_momt(make(bias_from=str(finished), stages=stages, frames=None), tmp_path, tmp_path / "run")
    before, after = (json.loads((run / "adapt/state.json").read_text())["bias"] for run in (finished, tmp_path / "run"))
    assert after["updates"] == before["updates"] + 2 * 1000 // 25
    with pytest.raises(ConfigError, match=r"nowhere does not exist; name the folder of a run of `unnp sample momt`"):
        run_momt(make(bias_from="nowhere"), tmp_path, tmp_path / "other")
    warmer = make(bias_from=str(finished), temperatures=[700, 1400], frames=None, stages=stages)
    with pytest.raises(LammpsError, match="temp"):
        run_momt(warmer, tmp_path, tmp_path / "warmer")


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "stage", [pytest.param("observe", marks=SLOW), pytest.param("adapt", marks=SLOW), "production"]
)
def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_happened(stage: str, finished: Path, tmp_path: Path) -> None:
    (tmp_path / "al.yaml").write_text(yaml.safe_dump(SHORT))
    command = [sys.executable, "-m", "unnp", "sample", "momt", "al.yaml", "-o", "run"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, start_new_session=True)
    folder = tmp_path / "run"
    # in the midst of the second piece of the stage
    deck = "in.observe.liquid.lammps" if stage == "observe" else f"in.{stage}.continue.lammps"
    wait_for(lambda: (folder / deck).exists())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = read_record(folder).chunks
    assert done.get("production", 0) < 4
    wait_for(lambda: may_go_on(folder))
    run_momt(make(), tmp_path, folder, resume=True)
    for name in ("adapt", "production"):
        for ours, theirs in zip(walker_logs(folder, name), walker_logs(finished, name), strict=True):
            assert np.array_equal(read_samples([ours]).bias, read_samples([theirs]).bias)
    assert (folder / "frames.extxyz").read_bytes() == (finished / "frames.extxyz").read_bytes()


def may_go_on(folder: Path) -> bool:
    """Whether LAMMPS, which outlives a killed Python, has ended."""
    import fcntl

    with (folder / ".lock").open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def wait_for(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def test_a_cut_log_is_gone_on_with(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "copy")
    log = folder / "production/momt.1.log"
    log.write_bytes(log.read_bytes()[:-30])
    last = last_rows(walker_logs(folder, "production"))
    assert last is not None
    assert last.step == 4000 - 25


def test_other_physics_is_not_a_continuation(finished: Path, tmp_path: Path) -> None:
    for settings, message in [
        ({"temperatures": [600, 1400]}, "temperatures"),
        ({"walkers": 1}, "walkers changed since"),
        ({"bias": {"kind": "opes", "barrier": 20}}, "bias changed since"),
        ({"structure": {**AL["structure"], "repeat": [3, 3, 3]}}, "now it has 108 atoms"),
    ]:
        with pytest.raises(ConfigError, match=message):
            run_momt(make(**settings), tmp_path, finished, resume=True)
    with pytest.raises(LammpsError, match="already holds a run"):
        run_momt(make(), tmp_path, finished)


def test_an_order_parameter_that_sees_no_melting_is_said(tmp_path: Path) -> None:
    # too short to melt at 700 K
    stages = {**SHORT["stages"], "observe": 0.2, "melt_temperature": 700}
    with pytest.raises(LammpsError, match=r"does not tell the solid from the liquid.*raise stages.melt_temperature"):
        run_momt(make(temperatures=[650, 700], stages=stages), tmp_path, tmp_path / "run")


def test_a_potential_that_does_not_hold_the_crystal_is_said(small_model: Path, tmp_path: Path) -> None:
    shutil.copy(small_model, tmp_path / "small.pt")  # without repulsion: atoms gather in lumps
    settings = {"potential": {"model": "small.pt"}, "order": {"kind": "none"}, "device": "cpu", "walkers": 1, "pace": 1}
    settings |= {"pressure": None, "stages": {**SHORT["stages"], "observe": 0.2}, "temperatures": [200, 400]}
    with pytest.raises(LammpsError, match=r"the enthalpy is lower at 400 K .* does not hold this structure"):
        run_momt(make(**settings), tmp_path, tmp_path / "run")


def test_a_damaged_record_is_said(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "copy")
    (folder / "progress.json").write_text("{")
    with pytest.raises(LammpsError, match=r"progress\.json cannot be read"):
        run_momt(make(), tmp_path, folder, resume=True)


@pytest.mark.parametrize(
    "settings",
    [
        {"order": {"kind": "none"}, "walkers": 1, "temperatures": [400, 600]},
        {"bias": {"kind": "wt"}, "coupling": "aniso"},
        {"bias": {"kind": "wl"}, "pressure": 2.0, "thermostat": "langevin"},
        {"pressure": None, "ranks": 2, "walkers": 1},
        {"order": {"kind": "q6", "inner": 3.4, "outer": 4.2}, "coupling": "tri", "walkers": 1},
    ],
)
def test_every_ensemble_runs(settings: dict, tmp_path: Path) -> None:
    stages = {**SHORT["stages"], "production": {"min": 4, "max": 4}}
    run_momt(make(**settings, stages=stages, pace=10), tmp_path, tmp_path / "run")
    assert len(ase.io.read(tmp_path / "run/frames.extxyz", ":")) == 30


def test_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "al.yaml").write_text(yaml.safe_dump(SHORT))
    arguments = ["sample", "momt", str(tmp_path / "al.yaml"), "-o", str(tmp_path / "out")]
    dry = CliRunner().invoke(build_app(), [*arguments, "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert (tmp_path / "out/in.observe.solid.lammps").is_file()
    assert not (tmp_path / "out/observe/momt.solid.log").exists()
    result = CliRunner().invoke(build_app(), [*arguments, "--set", "walkers=1"])
    assert result.exit_code == 0, result.output
    assert "production 8/8 ps" in result.output
    assert "H covered" in result.output
    assert "melting point" in result.output


MODEL = Path(__file__).parents[2] / "models/teanet-mlearn-Ni/model.pt"


def test_a_model_is_a_potential_too(tmp_path: Path) -> None:
    shutil.copy(MODEL, tmp_path / "ni.pt")
    # float64: energies of the file's float32 change by 1e-6 eV with the order of the atoms
    settings = {
        "potential": {"model": "ni.pt", "dtype": "float64"},
        "order": {"kind": "none"},
        "device": "cpu",
        "walkers": 1,
        "pace": 1,
    }
    settings["structure"] = {"element": "Ni", "lattice": "fcc", "a": 3.52, "repeat": [2, 2, 2]}
    stages = {"observe": 0.2, "adapt": {"min": 0.4, "max": 0.4}, "production": {"min": 0.4, "max": 0.4}, "chunk": 0.4}
    run_momt(make(**settings, temperatures=[200, 400], stages=stages), tmp_path, tmp_path / "run")
    frames = ase.io.read(tmp_path / "run/frames.extxyz", ":")
    assert len(frames) > 1
    expected = UnnpCalculator(MODEL, device="cpu", dtype="float64")
    for frame in frames[:3]:
        energy, forces = frame.get_potential_energy(), frame.get_forces()
        frame.calc = expected
        assert frame.get_potential_energy() == pytest.approx(energy, abs=1e-6)
        assert np.allclose(frame.get_forces(), forces, atol=1e-6)


def test_ctrl_c_stops_lammps_and_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "al.yaml").write_text(yaml.safe_dump(SHORT))
    command = [sys.executable, "-m", "unnp", "sample", "momt", "al.yaml", "-o", "run"]
    # what a shell starts in the background ignores Ctrl-C, and so would its children: tests may run there
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for(lambda: (tmp_path / "run/adapt/momt.0.log").exists())
    process.send_signal(signal.SIGINT)
    printed = process.communicate(timeout=60)[0]
    assert process.returncode == 75
    assert "Go on with: unnp sample momt al.yaml -o run --resume" in printed
    assert may_go_on(tmp_path / "run")


def test_plain_dynamics_is_run_to_compare_with(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "copy")
    first = compare(folder)
    steps = 2 * 1000 * (2 + 4)
    assert first["steps"] == steps
    assert first["temperature"] == pytest.approx(953.9)
    rows = {name: len(read_samples([folder / f"compare/momt.{name}.0.log"])) for name in ("solid", "liquid")}
    assert rows == {"solid": steps // 25 + 1, "liquid": steps // 25 + 1}
    assert len(list(folder.glob("compare/momt.ramp.*.log"))) == 24
    seen = first["methods"]
    assert seen["solid"]["solid"] > 0.9
    assert seen["solid"]["passages"] <= 2
    data = np.genfromtxt(folder / "compare/histograms.csv", delimiter=",", names=True)
    for method in seen:
        assert np.trapezoid(data[f"order_{method}"], data["order"]) == pytest.approx(1, abs=0.1)
    again = compare(folder)  # nothing is run again
    assert again == first
    with pytest.raises(ConfigError, match=r"must lie within 650 to 1400 K"):
        compare(folder, 100.0)


def test_a_run_stops_where_the_model_may_be_off_and_keeps_its_frames(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = {"threshold": 1e-9, "every": 1, "apart": 2, "most": 3, "limits": None}
    settings = {"potential": {"model": str(small_model)}, "device": "cpu", "capture": capture}
    with pytest.raises(LammpsError, match=r"stopped at step 5: .* go on with --resume and another `stop` or none"):
        run_momt(make(**settings, stop={"threshold": 1e-9, "every": 5}), tmp_path, tmp_path / "run")
    assert "captured: 3, left out: 0" in capsys.readouterr().out
    kept = ase.io.read(tmp_path / "run/captured.kept.extxyz", ":")
    assert [frame.info["step"] for frame in kept] == [1, 3, 5]  # at 0 the crystal is perfect
    assert read_record(tmp_path / "run").chunks == {}


def test_a_model_without_deviations_cannot_be_watched(write_model: Callable[..., Path], tmp_path: Path) -> None:
    write_model(tmp_path / "one.pt")
    with pytest.raises(ConfigError, match=r"stop: one\.pt holds one model"):
        run_momt(make(potential={"model": "one.pt"}, stop={"threshold": 1.0}), tmp_path, tmp_path / "run")
