"""Relaxed structures against plain ASE; runs that are stopped and go on; what goes wrong is said."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.filters import FrechetCellFilter
from ase.io import read, write
from ase.optimize import BFGS
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.errors import ConfigError, DataError, ModelError, UnnpError
from unnp.workflows.relaxation import kept
from unnp.workflows.relaxation.config import RelaxationConfig
from unnp.workflows.relaxation.run import run_relaxations

SETTINGS = RelaxationConfig(max_force=0.005)
STRUCTURES = ["structures.xyz", "slab.traj"]


def copper() -> Atoms:
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=1)
    return atoms


def stretched() -> Atoms:
    atoms = bulk("Al", cubic=True)
    atoms.set_cell(atoms.cell * 1.03, scale_atoms=True)
    return atoms


def slab() -> Atoms:
    atoms = fcc100("Al", (1, 1, 4), vacuum=8)
    atoms.set_constraint(FixAtoms(indices=[0, 1]))
    return atoms


@pytest.fixture
def files(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("structures.xyz", [copper(), stretched()])
    write("slab.traj", slab())
    write("iron.xyz", bulk("Fe", cubic=True))
    Path("emt.yaml").write_text("{kind: ase, name: emt}\n")
    return tmp_path


def cli(*words: str) -> str:
    result = CliRunner().invoke(build_app(), ["relax", "emt.yaml", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


class Stopping(EMT):
    """EMT that is stopped, as by Ctrl-C, after some calculations."""

    def __init__(self, left: float) -> None:
        super().__init__()
        self.left, self.done = left, 0

    def calculate(self, *args, **kwargs) -> None:
        if self.done == self.left:
            raise KeyboardInterrupt
        self.done += 1
        super().calculate(*args, **kwargs)


class Broken(EMT):
    """EMT whose forces are NaN."""

    def calculate(self, *args, **kwargs) -> None:
        super().calculate(*args, **kwargs)
        self.results["forces"] = np.full_like(self.results["forces"], np.nan)


@pytest.mark.parametrize("cell", ["none", "volume", "all"])
def test_the_minimum_is_that_of_plain_ase(cell: str, tmp_path: Path) -> None:
    (found,) = run_relaxations([copper()], EMT(), SETTINGS.model_copy(update={"cell": cell}), tmp_path / "run")
    atoms = copper()
    atoms.calc = EMT()
    target = atoms if cell == "none" else FrechetCellFilter(atoms, hydrostatic_strain=cell == "volume")
    BFGS(target, logfile=None).run(fmax=SETTINGS.max_force)
    assert found.at_rest
    assert found.energies[-1] == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
    assert found.atoms.positions == pytest.approx(atoms.positions, abs=1e-9)
    assert found.atoms.cell.array == pytest.approx(atoms.cell.array, abs=1e-9)
    if cell != "none":
        assert found.numbers()["pressure_GPa"] == pytest.approx(0, abs=0.3)
        assert found.numbers()["volume_change_percent"] < -1


def test_displacements_are_those_relative_to_the_cell(tmp_path: Path) -> None:
    (found,) = run_relaxations([stretched()], EMT(), RelaxationConfig(cell="volume", max_force=1e-3), tmp_path / "run")
    assert found.numbers()["largest_displacement_A"] == pytest.approx(0, abs=1e-6)
    assert found.numbers()["volume_change_percent"] < -5


def test_files_tables_and_fixed_atoms(files: Path) -> None:
    out = cli(*STRUCTURES, "-o", "run")
    assert "structures.xyz frame 1" in out
    rows = list(csv.DictReader(Path("run/relax.csv").read_text().splitlines()))
    assert [row["structure"] for row in rows] == [
        "structures.xyz frame 0",
        "structures.xyz frame 1",
        "slab.traj frame 0",
    ]
    relaxed = read("run/relaxed.extxyz", ":")
    for row, atoms, entry in zip(rows, relaxed, json.loads(Path("run/relax.json").read_text()), strict=True):
        atoms_energy = atoms.get_potential_energy()
        assert atoms_energy == pytest.approx(float(row["energy_eV"])) == pytest.approx(entry["energy_eV"])
        atoms.calc = EMT()
        assert atoms.get_potential_energy() == pytest.approx(atoms_energy, abs=1e-9)
    assert relaxed[2].positions[:2] == pytest.approx(slab().positions[:2])
    assert np.abs(relaxed[2].positions[2:] - slab().positions[2:]).max() > 0.003
    steps = list(csv.DictReader(Path("run/steps.csv").read_text().splitlines()))
    assert sum(row["structure"] == "slab.traj frame 0" for row in steps) == int(rows[2]["steps"]) + 1
    assert Path("run/steps.png").stat().st_size > 10_000


def test_atoms_below_a_height_are_fixed(files: Path) -> None:
    cli("slab.traj", "-o", "run", "--fixed-below", "8.5")
    moved = np.abs(read("run/relaxed.extxyz").positions - slab().positions).max(axis=1)
    assert moved[0] == 0
    assert moved[1:].min() > 1e-4


def test_one_that_fails_is_marked_and_the_others_go_on(files: Path) -> None:
    out = cli("iron.xyz", "structures.xyz", "-o", "run")
    assert "! iron.xyz frame 0: " in out
    assert "No EMT-potential for Fe" in out
    entries = json.loads(Path("run/relax.json").read_text())
    assert [entry["at_rest"] for entry in entries] == [False, True, True]
    assert len(read("run/relaxed.extxyz", ":")) == 2


def test_a_run_that_was_stopped_goes_on_in_the_middle_of_a_structure(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(kept, "SECONDS_BETWEEN", 0)
    structures = [copper(), slab()]
    whole = run_relaxations(structures, EMT(), SETTINGS, tmp_path / "whole")
    taken = sum(each.steps for each in whole)
    with pytest.raises(KeyboardInterrupt):
        run_relaxations(structures, Stopping(whole[0].steps + 3), SETTINGS, tmp_path / "run")
    calculator = Stopping(np.inf)
    found = run_relaxations(structures, calculator, SETTINGS, tmp_path / "run", resume=True)
    assert calculator.done < taken - whole[0].steps + 3  # the first structure is not computed again
    assert found[0].energies == whole[0].energies
    assert found[1].energies[:2] == pytest.approx(whole[1].energies[:2], abs=1e-12)
    assert found[1].energies[-1] == pytest.approx(whole[1].energies[-1], abs=1e-3)


def test_a_run_goes_further_with_more_steps(files: Path) -> None:
    assert "no minimum after 2 steps" in cli(*STRUCTURES, "-o", "run", "--max-steps", "2")
    assert "no minimum" not in cli(*STRUCTURES, "-o", "run", "--max-steps", "200", "--resume")
    entries = json.loads(Path("run/relax.json").read_text())
    assert all(entry["at_rest"] for entry in entries)
    assert entries[0]["steps"] > 2


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["none.xyz"], DataError, "none.xyz does not exist"),
        (["slab.traj", "--cell", "all"], ConfigError, "periodic in all three directions"),
        (["slab.traj", "--fixed-below", "0.5"], ConfigError, "no such atoms"),
        (["slab.traj", "--max-force", "0"], ConfigError, "max_force: Input should be greater than 0"),
        (["slab.traj", "--max-steps", "-1"], ConfigError, "max_steps"),
        (["slab.traj", "--head", "pbe"], ConfigError, "only a model has heads"),
        (["slab.traj", "--resume"], ConfigError, "leave out --resume"),
        (["iron.xyz"], ModelError, "none of 1 structures could be computed.*No EMT-potential"),
    ],
)
def test_bad_input_is_said(words: list[str], error: type[UnnpError], message: str, files: Path) -> None:
    with pytest.raises(error, match=message):
        cli(*words, "-o", "run")


def test_a_run_is_not_begun_over_nor_mixed_with_another(files: Path) -> None:
    cli("slab.traj", "-o", "run")
    with pytest.raises(ConfigError, match="already holds a run"):
        cli("slab.traj", "-o", "run")
    with pytest.raises(DataError, match="another configuration or other structures"):
        cli("slab.traj", "-o", "run", "--resume", "--max-force", "0.1")
    with pytest.raises(DataError, match="another configuration or other structures"):
        cli("slab.traj", "-o", "run", "--resume", "--fixed", "none")


def test_forces_that_are_no_numbers_end_the_search(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="forces are not finite"):
        run_relaxations([copper()], Broken(), SETTINGS, tmp_path / "run")
