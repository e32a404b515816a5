"""LAMMPS' own minimiser: the minimum of ASE's optimisers, on any number of ranks, and what is refused or goes wrong."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc100, molecule
from ase.constraints import FixAtoms
from ase.io import read, write
from typer.testing import CliRunner
from unnp.adapters.opening import open_calculator
from unnp.cli import build_app
from unnp.errors import ConfigError, DataError, LammpsError, ModelError, UnnpError
from unnp.lammps.launch import Launch
from unnp.lammps.opening import open_interaction
from unnp.workflows.relaxation.config import RelaxationConfig
from unnp.workflows.relaxation.lammps.minimiser import LammpsMinimiser
from unnp.workflows.relaxation.relaxation import Relaxation
from unnp.workflows.relaxation.run import run_relaxations

pytestmark = pytest.mark.long

MODEL = Path(__file__).parents[2] / "models/teanet-mlearn-Cu/model.pt"
EAM = {"kind": "lammps", "elements": ["Al"], "pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs Al"]}


def crystal() -> Atoms:
    """A strained crystal with a vacancy, in a cell that LAMMPS has to turn."""
    atoms = bulk("Al", cubic=True) * 2
    del atoms[5]
    atoms.set_cell(atoms.cell @ [[1.02, 0.03, 0.0], [0.0, 0.99, 0.02], [0.01, 0.0, 1.01]], scale_atoms=True)
    atoms.rattle(0.05, seed=1)
    atoms.rotate(40, (1, 2, 3), rotate_cell=True)
    return atoms


def slab() -> Atoms:
    """A slab without periodicity in z, whose lower half is fixed, with an adatom."""
    atoms = fcc100("Al", (2, 2, 4))
    atoms += Atoms("Al", [[1.0, 1.2, 8.0]])
    atoms.rattle(0.05, seed=2)
    atoms.set_constraint(FixAtoms(indices=range(8)))
    atoms.pbc = (True, True, False)
    return atoms


def cluster() -> Atoms:
    """Three atoms in one half of a long periodic cell, so that one of two ranks has none."""
    return Atoms("Al3", [[1, 1, 1], [3.5, 1, 1], [2.2, 3.2, 1.3]], cell=(40, 12, 12), pbc=True)


@pytest.fixture
def eam(tmp_path: Path) -> Path:
    (tmp_path / "al.yaml").write_text(json.dumps(EAM))
    return tmp_path / "al.yaml"


def relaxed(potential: Path, atoms: Atoms, folder: Path, ranks: int = 1, **settings) -> Relaxation:
    minimiser = LammpsMinimiser(open_interaction(potential), potential.parent, Launch(ranks=ranks))
    (found,) = run_relaxations([atoms], minimiser, RelaxationConfig(optimiser="lammps", **settings), folder)
    return found


def with_lbfgs(potential: Path, atoms: Atoms, folder: Path, **settings) -> Relaxation:
    calculator = open_calculator(potential)
    (found,) = run_relaxations([atoms], calculator, RelaxationConfig(optimiser="lbfgs", **settings), folder)
    return found


def assert_same_minimum(found: Relaxation, other: Relaxation) -> None:
    assert found.note() == other.note() == ""
    assert found.energies[0] == pytest.approx(other.energies[0], abs=1e-9)
    assert found.forces[0] == pytest.approx(other.forces[0], rel=0.02)  # rows of the stress are others, turned
    assert found.energies[-1] == pytest.approx(other.energies[-1], abs=1e-6)
    assert found.atoms.positions == pytest.approx(other.atoms.positions, abs=1e-3)
    assert found.atoms.cell.array == pytest.approx(other.atoms.cell.array, abs=1e-3)


def assert_is_what_ase_computes(found: Relaxation, potential: Path) -> None:
    atoms = found.atoms.copy()
    atoms.calc = open_calculator(potential)
    assert found.energies[-1] == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
    assert found.atomic_forces == pytest.approx(atoms.get_forces(apply_constraint=False), abs=1e-9)
    if atoms.pbc.all():
        assert found.stress == pytest.approx(atoms.get_stress(voigt=False), abs=1e-9)
    else:
        assert found.stress is None


@pytest.mark.parametrize("cell", ["none", "volume", "all"])
def test_the_minimum_is_that_of_ase(cell: str, eam: Path, tmp_path: Path) -> None:
    settings = {"cell": cell, "max_force": 1e-4}
    found = relaxed(eam, crystal(), tmp_path / "run", **settings)
    assert_same_minimum(found, with_lbfgs(eam, crystal(), tmp_path / "ase", **settings))
    assert_is_what_ase_computes(found, eam)
    counted = [np.linalg.norm(found.atomic_forces, axis=1).max()]
    if cell != "none":
        stress = found.stress if cell == "all" else np.eye(3) * np.trace(found.stress) / 3
        counted.append(np.linalg.norm(stress, axis=1).max() * found.atoms.get_volume() / len(found.atoms))
    assert max(counted) <= 1e-4 * (np.sqrt(3) if cell == "all" else 1)  # rows of the stress are others, turned


def test_a_slab_with_fixed_atoms_on_one_and_two_ranks(eam: Path, tmp_path: Path) -> None:
    one, two = (relaxed(eam, slab(), tmp_path / f"run-{n}", ranks=n, max_force=1e-4) for n in (1, 2))
    assert_same_minimum(one, with_lbfgs(eam, slab(), tmp_path / "ase", max_force=1e-4))
    assert_is_what_ase_computes(two, eam)
    assert np.array_equal(one.atoms.positions[:8], slab().positions[:8])
    assert np.abs(one.atomic_forces[:8]).max() > 0.01  # they are told, though they do not count
    assert two.energies == pytest.approx(one.energies, abs=1e-8)
    assert two.atoms.positions == pytest.approx(one.atoms.positions, abs=1e-6)


def test_a_rank_without_atoms_and_atoms_that_cross_a_boundary(eam: Path, tmp_path: Path) -> None:
    found = relaxed(eam, cluster(), tmp_path / "two", ranks=2, max_force=1e-4)
    assert_same_minimum(found, with_lbfgs(eam, cluster(), tmp_path / "ase", max_force=1e-4))
    across = cluster()
    shift = np.array([2.0, 1.5, 13.5])
    across.positions -= shift
    moved = relaxed(eam, across, tmp_path / "across", max_force=1e-4)
    assert moved.atoms.positions + shift == pytest.approx(found.atoms.positions, abs=1e-4)


@pytest.mark.slow
def test_a_model_runs_in_float64(tmp_path: Path) -> None:
    atoms = bulk("Cu", cubic=True) * (2, 2, 1)
    del atoms[3]
    atoms.rattle(0.05, seed=3)
    settings = {"max_force": 1e-4, "cell": "volume"}
    found = relaxed(MODEL, atoms, tmp_path / "run", ranks=2, **settings)
    assert_same_minimum(found, with_lbfgs(MODEL, atoms, tmp_path / "ase", **settings))
    assert_is_what_ase_computes(found, MODEL)


def test_molecules_and_pair_modify(tmp_path: Path) -> None:
    lj = {
        **EAM,
        "elements": ["O"],
        "pair_style": "lj/cut 6.0",
        "pair_coeff": ["* * 0.3 2.0"],
        "pair_modify": ["shift yes"],
    }
    (tmp_path / "lj.yaml").write_text(json.dumps(lj))
    found = relaxed(tmp_path / "lj.yaml", molecule("O2"), tmp_path / "run", max_force=1e-5)
    assert found.atoms.get_distance(0, 1) == pytest.approx(2.0 * 2 ** (1 / 6), abs=1e-5)
    assert found.energies[-1] == pytest.approx(-0.3 - 4 * 0.3 * ((2 / 6) ** 12 - (2 / 6) ** 6), abs=1e-9)


@pytest.mark.parametrize("cell", ["none", "all"])
def test_a_skewed_cell_and_a_left_handed_one(cell: str, eam: Path, tmp_path: Path) -> None:
    a, b, c = bulk("Al", cubic=True).cell.array
    atoms = bulk("Al", cubic=True)
    atoms.rattle(0.1, seed=1)
    straight = relaxed(eam, atoms, tmp_path / "straight", cell=cell, max_force=1e-4)
    atoms.set_cell([b + 3 * a, a, c - 2 * b])
    skewed = relaxed(eam, atoms, tmp_path / "skewed", cell=cell, max_force=1e-4)
    assert skewed.note() == ""
    assert skewed.energies[-1] == pytest.approx(straight.energies[-1], abs=1e-6)
    assert skewed.atoms.positions == pytest.approx(straight.atoms.positions, abs=1e-3)
    a, b, c = straight.atoms.cell.array
    assert skewed.atoms.cell.array == pytest.approx(np.array([b + 3 * a, a, c - 2 * b]), abs=2e-3)


def test_nothing_to_do(eam: Path, tmp_path: Path) -> None:
    held = crystal()
    held.set_constraint(FixAtoms(indices=range(len(held))))
    found = relaxed(eam, held, tmp_path / "held")
    assert (found.at_rest, found.steps, found.forces) == (True, 0, [0.0])
    assert np.array_equal(found.atoms.positions, held.positions)
    assert np.abs(found.atomic_forces).max() > 0.1
    assert relaxed(eam, bulk("Al", a=4.05), tmp_path / "rest", cell="all", max_force=0.1).steps == 0
    assert relaxed(eam, crystal(), tmp_path / "zero", max_steps=0).note() == "no minimum after 0 steps"


def test_more_than_the_numbers_can_give_is_said(eam: Path, tmp_path: Path) -> None:
    found = relaxed(eam, slab(), tmp_path / "run", max_force=1e-300)
    assert "LAMMPS' line search finds no lower energy" in found.note()
    assert found.forces[-1] < 1e-6
    assert found.steps < 500


def cli(*words: str) -> str:
    result = CliRunner().invoke(build_app(), ["relax", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_files_and_one_that_fails(eam: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("iron.xyz", bulk("Fe", cubic=True))
    write("slab.traj", slab())
    out = cli("al.yaml", "iron.xyz", "slab.traj", "-o", "run", "--optimiser", "lammps", "--ranks", "2")
    assert "! iron.xyz frame 0: the structure contains Fe" in out
    assert [entry["at_rest"] for entry in json.loads(Path("run/relax.json").read_text())] == [False, True]
    atoms = read("run/relaxed.extxyz")
    atoms_energy, forces = atoms.get_potential_energy(), atoms.get_forces()
    atoms.calc = open_calculator(eam)
    assert atoms_energy == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
    assert forces == pytest.approx(atoms.get_forces(), abs=1e-5)
    assert np.array_equal(atoms.positions[:8], slab().positions[:8])
    rows = list(csv.DictReader(Path("run/steps.csv").read_text().splitlines()))
    assert [int(row["step"]) for row in rows] == list(range(len(rows)))
    assert float(rows[-1]["largest_force_eV_per_A"]) <= 0.01 < float(rows[0]["largest_force_eV_per_A"])


def test_a_run_goes_further_with_more_steps(eam: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("slab.traj", slab())
    words = ["al.yaml", "slab.traj", "-o", "run", "--optimiser", "lammps", "--max-force", "1e-4"]
    assert "no minimum after 4 steps" in cli(*words, "--max-steps", "4")
    assert "no minimum" not in cli(*words, "--resume", "--max-steps", "200")
    steps = [int(row["step"]) for row in csv.DictReader(Path("run/steps.csv").read_text().splitlines())]
    assert steps == list(range(steps[-1] + 1))
    whole = relaxed(eam, slab(), tmp_path / "whole", max_force=1e-4)
    assert read("run/relaxed.extxyz").positions == pytest.approx(whole.atoms.positions, abs=1e-3)
    with pytest.raises(DataError, match="another configuration"):
        cli(*words, "--resume", "--fixed", "none")


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(eam: Path, tmp_path: Path) -> None:
    large = bulk("Al", a=4.05, cubic=True) * 8
    large.rattle(0.1, seed=4)
    write(tmp_path / "slab.traj", slab())
    write(tmp_path / "large.xyz", large)
    given = {"-o": "run", "--optimiser": "lammps", "--max-force": "1e-4", "--ranks": "2"}
    words = ["relax", "al.yaml", "slab.traj", "large.xyz", *(word for option in given.items() for word in option)]
    command = [sys.executable, "-m", "unnp", *words]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    first, second = tmp_path / "run/structure-0", tmp_path / "run/structure-1"
    wait_for(lambda: any((second / name).is_file() for name in ("restart.a", "restart.b")))
    process.kill()
    process.wait()
    finished = (first / "log.lammps").stat().st_mtime_ns
    assert "Total wall time" not in (second / "log.lammps").read_text()  # it was in the middle
    wait_for(lambda: subprocess.run([*command, "--resume"], cwd=tmp_path, capture_output=True).returncode == 0)
    assert (first / "log.lammps").stat().st_mtime_ns == finished
    assert "read_restart" in (second / "in.1.lammps").read_text()
    found = Relaxation.of(large, json.loads((tmp_path / "run/steps.jsonl").read_text().splitlines()[-1]))
    whole = relaxed(eam, large, tmp_path / "whole", max_force=1e-4)
    assert found.at_rest
    assert found.energies[:10] == pytest.approx(whole.energies[:10], abs=1e-6)
    assert found.energies[-1] == pytest.approx(whole.energies[-1], abs=1e-5)
    assert found.atoms.positions == pytest.approx(whole.atoms.positions, abs=1e-3)


def test_what_another_run_has_left_is_not_gone_on_with(eam: Path, tmp_path: Path) -> None:
    relaxed(eam, crystal(), tmp_path / "run", max_steps=3)
    (tmp_path / "run/steps.jsonl").unlink()
    found = relaxed(eam, slab(), tmp_path / "run")
    assert found.at_rest
    assert np.array_equal(found.atoms.positions[:8], slab().positions[:8])


def wait_for(condition, seconds: float = 300) -> None:
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, "it did not happen"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("content", "words", "error", "message"),
    [
        ({"kind": "ase", "name": "emt"}, [], ConfigError, "cannot run a calculator of kind 'ase'.*another optimiser"),
        ({**EAM, "units": "real"}, [], ConfigError, "the pair style has the units 'real'"),
        ({"kind": "kim", "model": "any", "through": "kimpy"}, [], ConfigError, "kimpy` is not LAMMPS"),
        (EAM, ["--head", "pbe"], ConfigError, "only a model has heads"),
        (EAM, ["--ranks", "0"], ConfigError, "ranks: Input should be greater"),
        (EAM, ["--launcher", "mpirun"], ConfigError, "launcher.*has no {ranks}"),
        (EAM, ["--lmp", "no-such-lmp"], LammpsError, "cannot find the program 'no-such-lmp'"),
        (
            EAM,
            ["--optimiser", "lbfgs", "--ranks", "2"],
            ConfigError,
            "--ranks: the optimiser lbfgs runs in one process",
        ),
        ({**EAM, "pair_style": "none_such"}, [], ModelError, "none of 1 structures.*Unrecognized pair style"),
    ],
)
def test_what_lammps_cannot_do_is_said(
    content: dict, words: list[str], error: type[UnnpError], message: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("al.yaml").write_text(json.dumps(content))
    write("al.xyz", bulk("Al", cubic=True))
    with pytest.raises(error, match=message):
        cli("al.yaml", "al.xyz", "-o", "run", "--optimiser", "lammps", *words)


def test_optimiser_and_calculator_belong_together(eam: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not go with"):
        run_relaxations([crystal()], open_calculator(eam), RelaxationConfig(optimiser="lammps"), tmp_path / "run")
