"""`unnp md` end to end, with real LAMMPS."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from md_runs import BASE, make, table
from typer.testing import CliRunner
from unnp.adapters.ase import UnnpCalculator
from unnp.cli import build_app
from unnp.data.readers import read_structures
from unnp.errors import ConfigError, LammpsError
from unnp.lammps.restart_file import MAGIC, is_whole_restart, newest_restart
from unnp.lammps.run import run_lammps
from unnp.lammps.system import build_structure
from unnp.workflows.md.run import run_md
from unnp.workflows.md.trajectory import complete_trajectories


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> Path:
    """400 steps without interruption on one rank."""
    folder = tmp_path_factory.mktemp("md") / "whole"
    run_md(make(steps=400, restart=100), folder, folder)
    return folder


def test_a_run_leaves_deck_table_figure_trajectory_and_summary(reference):
    summary = json.loads((reference / "summary.json").read_text())
    assert (summary["steps"], summary["n_atoms"], summary["ranks"]) == (400, 32, 1)
    assert summary["time_ps"] == pytest.approx(0.4)
    assert abs(summary["energy_drift_meV_per_atom_ps"]) < 1.0
    assert 150 < summary["averages"]["temperature_K"]["mean"] < 450
    rows = table(reference)
    assert rows["step"].tolist() == list(range(0, 401, 20))
    assert np.allclose(rows["potential_energy_eV"] + rows["kinetic_energy_eV"], rows["total_energy_eV"])
    assert rows["temperature_K"][0] == pytest.approx(600)
    assert (reference / "thermo.png").read_bytes().startswith(b"\x89PNG")
    frames = ase.io.read(reference / "trajectory.extxyz", ":")
    assert len(frames) == 1
    assert set(frames[0].symbols) == {"Al"}


def test_two_ranks_give_the_same_trajectory(reference, tmp_path):
    result = run_md(make(ranks=2), tmp_path, tmp_path / "two")
    assert result.summary["ranks"] == 2
    one, two = table(reference)[:11], table(tmp_path / "two")
    for column in ("step", "total_energy_eV", "pressure_GPa"):
        assert np.allclose(one[column], two[column], rtol=1e-6, atol=1e-6)


def test_the_deck_runs_by_itself_somewhere_else(reference, tmp_path):
    for name in ("in.lammps", "structure.data", "Al_mm.eam.fs"):
        shutil.copy(reference / name, tmp_path)
    log = run_lammps(tmp_path / "in.lammps")
    assert np.allclose(log.blocks[0]["TotEng"], table(reference)["total_energy_eV"], atol=1e-8)


def test_a_finished_run_is_made_longer(reference, tmp_path):
    run_md(make(restart=100), tmp_path, tmp_path)
    with pytest.raises(LammpsError, match="already holds a run; go on with --resume"):
        run_md(make(), tmp_path, tmp_path)
    result = run_md(make(restart=100, steps=400, ranks=2), tmp_path, tmp_path, resume=True)
    assert result.summary["steps"] == 400
    whole, parts = table(reference), table(tmp_path)
    assert whole["step"].tolist() == parts["step"].tolist()
    assert np.allclose(whole["total_energy_eV"], parts["total_energy_eV"], atol=1e-6)
    assert np.allclose(whole["temperature_K"], parts["temperature_K"], rtol=1e-5)
    before = (tmp_path / "thermo.csv").read_text()
    run_md(make(restart=100, steps=400), tmp_path, tmp_path, resume=True)
    assert (tmp_path / "thermo.csv").read_text() == before
    assert not (tmp_path / "in.2.lammps").exists()


def test_a_killed_run_goes_on_from_the_newest_whole_restart_file(reference, tmp_path):
    (tmp_path / "al.yaml").write_text(json.dumps({**BASE, "steps": 10_000_000, "restart": 100, "ranks": 2}))
    command = [sys.executable, "-m", "unnp", "md", str(tmp_path / "al.yaml"), "-o", str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait_for(lambda: (path := tmp_path / "run/restart.b").is_file() and is_whole_restart(path), seconds=120)
    process.terminate()
    assert process.wait(15) != 0
    newest = newest_restart(tmp_path / "run")
    newest.write_bytes(newest.read_bytes()[:-1])
    older = newest_restart(tmp_path / "run")
    assert {newest.name, older.name} == {"restart.a", "restart.b"}
    last = 20 * (restart_step(older) // 20) + 100
    config = make(restart=100, ranks=2, steps=last)
    run_md(config, tmp_path, tmp_path / "run", resume=True)
    rows = table(tmp_path / "run")
    assert rows["step"].tolist() == list(range(0, last + 1, 20))
    both = min(len(rows), 11)
    assert np.allclose(rows["total_energy_eV"][:both], table(reference)["total_energy_eV"][:both], atol=1e-6)
    assert np.ptp(rows["total_energy_eV"]) / 32 < 1e-3


def restart_step(path: Path) -> int:
    """The step of a restart file, found by letting LAMMPS read it."""
    deck = path.parent / "in.step"
    deck.write_text(f"read_restart {path.name}\nvariable s equal step\npair_style zero 5.0\npair_coeff * *\nrun 0\n")
    return int(run_lammps(deck, log="log.step").blocks[0]["Step"][0])


def wait_for(condition, seconds: float = 20) -> None:
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def test_files_that_are_no_whole_restart_are_passed_over(tmp_path):
    (tmp_path / "restart.a").write_bytes(MAGIC)
    (tmp_path / "restart.b").write_bytes(b"x" * 100 + MAGIC)
    assert newest_restart(tmp_path) is None


def test_other_physics_is_not_a_continuation(reference, tmp_path):
    folder = shutil.copytree(reference, tmp_path / "copy")
    with pytest.raises(ConfigError, match="temperature, timestep changed since"):
        run_md(make(steps=400, temperature=300, timestep=2), tmp_path, folder, resume=True)
    run_md(make(ensemble="nvt", temperature=[300, 310], steps=20), tmp_path, tmp_path / "ramp")
    with pytest.raises(ConfigError, match="steps changed since"):
        run_md(make(ensemble="nvt", temperature=[300, 310], steps=40), tmp_path, tmp_path / "ramp", resume=True)


@pytest.mark.parametrize(
    "settings",
    [
        {"ensemble": "npt", "coupling": "tri", "pressure": 1.0, "minimise": True},
        {"ensemble": "npt", "coupling": "iso"},
        {"ensemble": "nph", "coupling": "aniso"},
        {"ensemble": "langevin", "dump": {"every": 50, "format": "lammpstrj"}},
        {"ensemble": "nvt", "temperature": [300, 900], "threads": 2},
        {"ensemble": "nve", "temperature": 0, "dump": None, "launcher": ""},
    ],
)
def test_every_ensemble_runs(settings, tmp_path):
    settings = {"temperature": 300, "steps": 60, **settings}
    result = run_md(make(**settings), tmp_path, tmp_path / "run")
    rows = table(tmp_path / "run")
    assert rows["step"].tolist() == [0, 20, 40, 60]
    assert np.isfinite(list(rows["pressure_GPa"])).all()
    assert result.summary["steps"] == 60


@pytest.mark.parametrize("kind", ["cluster", "slab", "wire", "tilted"])
def test_structures_of_every_periodicity_run_and_keep_their_energy(kind, small_model, tmp_path):
    structures = {
        "cluster": Atoms("Al2Ni", positions=[[0, 0, 0], [2.6, 0.2, 0], [0.3, 2.5, 0.4]]),
        "slab": fcc111("Al", (2, 3, 3), vacuum=7.0),
        "wire": Atoms("AlNi", positions=[[0, 0, 0], [0.4, 0, 1.9]], cell=[0, 0, 3.1], pbc=[False, False, True]),
        "tilted": bulk("AlNi", "cesiumchloride", a=2.9) * (2, 2, 2),
    }
    atoms = structures[kind]
    atoms.rattle(0.05, seed=1)
    if kind == "tilted":
        atoms.set_cell(atoms.cell[:] + np.array([[0, 0, 0], [1.9, 0, 0], [-1.7, 1.8, 0]]), scale_atoms=True)
    ase.io.write(tmp_path / "atoms.xyz", atoms, format="extxyz")
    shutil.copy(small_model, tmp_path / "small.pt")
    settings = {"structure": {"file": "atoms.xyz"}, "potential": {"model": "small.pt"}, "device": "cpu"}
    run_md(make(**settings, temperature=50, steps=20, thermo=5, ranks=2), tmp_path, tmp_path / "run")
    rows = table(tmp_path / "run")
    atoms.calc = UnnpCalculator(small_model, device="cpu")
    assert rows["potential_energy_eV"][0] == pytest.approx(atoms.get_potential_energy(), abs=1e-7)
    assert np.ptp(rows["total_energy_eV"]) / len(atoms) < 1e-4


def test_frames_are_chosen_and_missing_ones_named(tmp_path):
    ase.io.write(tmp_path / "two.xyz", [bulk("Al", a=4.0), bulk("Al", a=4.2)], format="extxyz")
    atoms = build_structure(make(structure={"file": "two.xyz", "frame": 0, "repeat": [2, 1, 1]}).structure, tmp_path)
    assert len(atoms) == 2
    assert atoms.get_volume() == pytest.approx(2 * 16.0)
    with pytest.raises(ConfigError, match="has 2 frames, there is no frame 2"):
        build_structure(make(structure={"file": "two.xyz", "frame": 2}).structure, tmp_path)


def test_a_run_that_failed_before_its_first_step_may_be_repeated(tmp_path):
    with pytest.raises(LammpsError, match="pair_coeff"):
        run_md(make(potential={"pair_style": "lj/cut 5.0", "pair_coeff": ["* * 0.1"]}), tmp_path, tmp_path)
    assert run_md(make(steps=20), tmp_path, tmp_path).summary["steps"] == 20


def test_the_command_line(tmp_path):
    (tmp_path / "al.yaml").write_text(json.dumps(BASE))
    arguments = ["md", str(tmp_path / "al.yaml"), "-o", str(tmp_path / "out"), "--set", "steps=40"]
    runner = CliRunner()
    dry = runner.invoke(build_app(), [*arguments, "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert (tmp_path / "out/in.lammps").is_file()
    assert not (tmp_path / "out/log.lammps").exists()
    result = runner.invoke(build_app(), arguments)
    assert result.exit_code == 0, result.output
    assert "step 40/40" in result.output
    assert "temperature [K]" in result.output
    assert "Energy drift" in result.output
    with pytest.raises(ConfigError, match="stepz"):
        runner.invoke(build_app(), [*arguments, "--set", "stepz=1"], catch_exceptions=False)


def energies_and_forces(folder: Path, name: str, model: Path) -> tuple[np.ndarray, np.ndarray]:
    """Labels of a trajectory less what the model says of its frames: largest differences of energy and forces."""
    structures = read_structures(folder / name)
    differences = []
    for structure in structures:
        atoms = structure.to_atoms()
        atoms.calc = UnnpCalculator(model, device="cpu", dtype="float64")
        energy = abs(structure.energy - atoms.get_potential_energy())
        differences.append((energy, np.abs(structure.forces - atoms.get_forces()).max()))
    return tuple(np.array(differences).T)


def test_its_own_trajectory_is_read_without_options(small_model, tmp_path):
    shutil.copy(small_model, tmp_path / "small.pt")
    settings = {"structure": {"element": "Al", "repeat": [2, 2, 2]}, "potential": {"model": "small.pt"}}
    settings |= {"dump": {"every": 7}, "thermo": 5, "device": "cpu"}
    run_md(make(**settings, steps=21), tmp_path, tmp_path / "run")
    run_md(make(**{**settings, "device": "auto"}, steps=35), tmp_path, tmp_path / "run", resume=True)
    decks = [(tmp_path / "run" / name).read_text() for name in ("in.lammps", "in.1.lammps")]
    assert ["device cpu" in deck for deck in decks] == [True, False]
    for name, n_frames in (("trajectory.extxyz", 4), ("trajectory.1.extxyz", 3)):
        energy, forces = energies_and_forces(tmp_path / "run", name, small_model)
        assert len(energy) == n_frames
        assert energy.max() < 1e-3  # positions are written with six digits
        assert forces.max() < 1e-3
    arguments = ["evaluate", str(small_model), str(tmp_path / "run/trajectory.extxyz"), "-o", str(tmp_path / "errors")]
    result = CliRunner().invoke(build_app(), arguments)
    assert result.exit_code == 0, result.output


def test_a_committee_writes_how_far_it_disagrees(small_model, write_model, tmp_path):
    shutil.copy(small_model, tmp_path / "small.pt")
    settings = {"structure": {"element": "Al", "repeat": [2, 2, 2]}, "dump": None, "device": "cpu"}
    config = make(**settings, potential={"model": "small.pt"}, deviation=5, steps=10)
    run_md(config, tmp_path, tmp_path / "run")
    assert np.loadtxt(tmp_path / "run/deviation.out")[:, 0].tolist() == [0, 5, 10]
    run_md(config.model_copy(update={"steps": 16, "deviation": 2}), tmp_path, tmp_path / "run", resume=True)
    assert np.loadtxt(tmp_path / "run/deviation.1.out")[:, 0].tolist() == [10, 12, 14, 16]
    write_model(tmp_path / "one.pt")
    with pytest.raises(ConfigError, match=r"deviation: one\.pt holds one model, which has nobody to disagree with"):
        run_md(make(**settings, potential={"model": "one.pt"}, deviation=5), tmp_path, tmp_path / "other")
    with pytest.raises(ConfigError, match="`deviation` is of a committee of models"):
        make(deviation=5)


def test_a_run_begun_from_a_trajectory_goes_on_with_its_velocities(tmp_path):
    run_md(make(steps=20, dump={"every": 20}), tmp_path, tmp_path / "first")
    structure = {"file": "first/trajectory.extxyz"}
    run_md(make(steps=20, structure=structure), tmp_path, tmp_path / "second")
    before, after = table(tmp_path / "first"), table(tmp_path / "second")
    assert after["kinetic_energy_eV"][0] == pytest.approx(before["kinetic_energy_eV"][-1], rel=1e-4)
    assert after["total_energy_eV"][0] == pytest.approx(before["total_energy_eV"][-1], rel=1e-5)


def test_forces_of_a_trajectory_are_without_those_of_the_thermostat(small_model, tmp_path):
    shutil.copy(small_model, tmp_path / "small.pt")
    settings = {"structure": {"element": "Al", "repeat": [2, 2, 2]}, "potential": {"model": "small.pt"}}
    settings |= {"ensemble": "langevin", "temperature_damping": 10, "device": "cpu", "steps": 20}
    run_md(make(**settings, dump={"every": 10, "format": "lammpstrj"}), tmp_path, tmp_path / "text")
    frames = ase.io.read(tmp_path / "text/trajectory.lammpstrj", ":", format="lammps-dump-text")
    for frame in frames:
        forces = frame.get_forces()
        frame.calc = UnnpCalculator(small_model, device="cpu", dtype="float64")
        assert np.allclose(forces, frame.get_forces(), atol=1e-4)
    run_md(make(**settings, dump={"every": 10}), tmp_path, tmp_path / "extended")
    energy, forces = energies_and_forces(tmp_path / "extended", "trajectory.extxyz", small_model)
    assert len(energy) == 3
    assert energy.max() < 1e-3
    assert forces.max() < 1e-3
    assert not (tmp_path / "extended/trajectory.forces").exists()


def test_a_frame_that_was_cut_short_is_left_out(tmp_path):
    run_md(make(steps=20, dump={"every": 10}), tmp_path, tmp_path)
    path = tmp_path / "trajectory.extxyz"
    whole = path.read_text().replace(" units=metal", "").replace(" energy=", " Potential_energy=")
    path.write_text(whole[:-30])
    complete_trajectories(tmp_path)
    frames = ase.io.read(path, ":")
    assert len(frames) == 2
    assert frames[1].get_potential_energy() == pytest.approx(table(tmp_path)["potential_energy_eV"][0], rel=0.1)
    path.write_text("nonsense\n")
    with pytest.raises(LammpsError, match=r"trajectory.extxyz is damaged"):
        complete_trajectories(tmp_path)
