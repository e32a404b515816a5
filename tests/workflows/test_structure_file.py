"""What a structure file says of its atoms beyond their places: kept in a run, used, or said."""

from __future__ import annotations

import shutil
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.constraints import FixAtoms, FixBondLength, FixCartesian, FixScaled
from unnp.adapters.ase import UnnpCalculator
from unnp.config import from_dict
from unnp.errors import ConfigError, DataError
from unnp.lammps.data_file import data_file, data_files
from unnp.lammps.structure_file import fixed_atoms
from unnp.lammps.system import build_structure
from unnp.workflows.md.config import MdConfig
from unnp.workflows.md.run import run_md
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.run import run_melt
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.run import prepare_only
from unnp.workflows.ramp.config import RampConfig
from unnp.workflows.ramp.run import prepare as prepare_ramp

EAM = {"pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs {elements}"]}
BASE = {"structure": {"file": "atoms.traj"}, "potential": EAM, "ensemble": "nve", "temperature": 300, "steps": 20}


def make(**settings) -> MdConfig:
    return from_dict({**BASE, "thermo": 5, "dump": {"every": 5}, **settings}, MdConfig)


def table(folder: Path) -> np.ndarray:
    return np.genfromtxt(folder / "thermo.csv", delimiter=",", names=True)


def slab() -> Atoms:
    atoms = fcc111("Al", (3, 3, 4), vacuum=7.0, orthogonal=False)
    atoms.set_constraint(FixAtoms(mask=atoms.get_tags() > 2))
    atoms.rattle(0.02, seed=0)
    return atoms


def write(folder: Path, atoms: Atoms, name: str = "atoms.traj") -> None:
    ase.io.write(folder / name, atoms)


def with_velocities(atoms: Atoms, seed: int = 3) -> Atoms:
    atoms.set_momenta(np.random.default_rng(seed).normal(0, 1.0, (len(atoms), 3)))
    return atoms


def displacements(folder: Path) -> np.ndarray:
    """Return the largest distance of each atom from where it began, over all frames."""
    frames = ase.io.read(folder / "trajectory.extxyz", ":")
    assert len(frames) == 5
    moved = np.array([frame.positions - frames[0].positions for frame in frames])
    return np.linalg.norm(moved, axis=2).max(axis=0)


@pytest.mark.parametrize("ensemble", ["nve", "nvt", "langevin"])
@pytest.mark.parametrize("name", ["atoms.traj", "atoms.extxyz"])
def test_fixed_atoms_do_not_move_and_the_temperature_is_that_of_the_others(tmp_path, capsys, ensemble, name):
    write(tmp_path, slab(), name)
    settings = {"structure": {"file": name}, "ensemble": ensemble, "minimise": ensemble == "nvt"}
    run_md(make(**settings), tmp_path, tmp_path / "run")
    moved = displacements(tmp_path / "run")
    assert (moved[:18] == 0).all()
    assert (moved[18:] > 1e-3).all()
    rows = table(tmp_path / "run")
    assert rows["temperature_K"][0] == pytest.approx(300, rel=1e-6)
    expected = 1.5 * 18 * 8.617333e-5 * rows["temperature_K"]
    assert np.allclose(rows["kinetic_energy_eV"], expected, rtol=1e-5)
    if ensemble == "nve":
        assert np.ptp(rows["total_energy_eV"]) / 36 < 1e-4
    assert "18 of 36 atoms are fixed" in capsys.readouterr().out
    assert "18 atoms fixed" in (tmp_path / "run/in.lammps").read_text()


def test_a_run_that_goes_on_keeps_them_fixed(tmp_path):
    write(tmp_path, slab())
    run_md(make(), tmp_path, tmp_path / "run")
    run_md(make(steps=40), tmp_path, tmp_path / "run", resume=True)
    first = ase.io.read(tmp_path / "run/trajectory.extxyz", 0)
    last = ase.io.read(tmp_path / "run/trajectory.1.extxyz", -1)
    assert (first.positions[:18] == last.positions[:18]).all()
    rows = table(tmp_path / "run")
    assert rows["step"].tolist() == list(range(0, 41, 5))
    assert np.ptp(rows["total_energy_eV"]) / 36 < 1e-4


@pytest.mark.parametrize(
    ("fixed", "expected"),
    [
        ("none", []),
        (None, []),
        ([0, 35], [0, 35]),
        ({"tags": [4]}, list(range(9))),
        ({"below": 8.0}, list(range(9))),
        ({"above": 12.5, "tags": [4]}, [*range(9), *range(27, 36)]),
        ({"elements": ["Ni"]}, [5]),
    ],
)
def test_the_setting_chooses_the_fixed_atoms(tmp_path, fixed, expected):
    atoms = slab()
    atoms.numbers[5] = 28
    write(tmp_path, atoms)
    config = make(structure={"file": "atoms.traj", "fixed": fixed}).structure
    assert fixed_atoms(build_structure(config, tmp_path)).tolist() == expected
    twice = build_structure(config.model_copy(update={"repeat": (2, 1, 1)}), tmp_path)
    assert fixed_atoms(twice).tolist() == expected + [36 + k for k in expected]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"structure": {"file": "atoms.traj", "fixed": [36]}}, "has atoms 0 to 35, there is no atom 36"),
        ({"structure": {"file": "atoms.traj", "fixed": {"tags": [9]}}}, "has no such atoms"),
        ({"structure": {"file": "atoms.traj", "fixed": {"above": -10}}}, "all 36 atoms are fixed"),
        ({"structure": {"file": "atoms.traj", "fixed": {}}}, "give `tags`, `elements`, `below` or `above`"),
        ({"structure": {"file": "atoms.traj", "fixed": {"elements": ["Qq"]}}}, "Qq"),
        ({"structure": {"element": "Al", "fixed": [0]}}, "`fixed` is for the atoms of a `file`"),
        ({"velocities": "file"}, "the structure has no velocities"),
    ],
)
def test_choices_that_cannot_be_met(tmp_path, settings, message):
    write(tmp_path, slab())
    with pytest.raises(ConfigError, match=message):
        run_md(make(**settings), tmp_path, tmp_path / "run")


@pytest.mark.parametrize("ensemble", ["npt", "nph"])
def test_a_barostat_does_not_go_with_fixed_atoms(tmp_path, ensemble):
    atoms = bulk("Al", cubic=True)
    atoms.set_constraint(FixAtoms([1]))
    write(tmp_path, atoms)
    with pytest.raises(ConfigError, match=f"{ensemble} changes the cell, which would move the 1 fixed atoms"):
        run_md(make(ensemble=ensemble), tmp_path, tmp_path / "run")


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (FixBondLength(0, 1), r"constraints that are not kept here \(FixBondLengths\)"),
        (FixCartesian(0, mask=[True, False, False]), "components of positions"),
        (FixScaled(0, mask=[True, True, False], cell=np.eye(3)), "components of positions"),
    ],
)
def test_other_constraints_are_refused_not_dropped(tmp_path, constraint, message):
    atoms = bulk("Al", cubic=True) * 2
    atoms.set_constraint(constraint)
    write(tmp_path, atoms)
    with pytest.raises(ConfigError, match=message):
        run_md(make(), tmp_path, tmp_path / "run")
    structure = make(structure={"file": "atoms.traj", "fixed": "none"}).structure
    assert not build_structure(structure, tmp_path).constraints


def test_an_atom_fixed_in_all_components_is_fixed(tmp_path):
    atoms = bulk("Al", cubic=True)
    atoms.set_constraint([FixCartesian(2), FixCartesian(1, mask=[False] * 3)])
    write(tmp_path, atoms)
    assert fixed_atoms(build_structure(make().structure, tmp_path)).tolist() == [2]


@pytest.mark.parametrize("run", ["ramp", "momt", "melt"])
def test_where_the_cell_moves_fixed_atoms_are_refused(tmp_path, run):
    atoms = bulk("Al", cubic=True) * 2
    atoms.set_constraint(FixAtoms([0]))
    write(tmp_path, atoms)
    settings, kind, start = {
        "ramp": ({"temperatures": [300, 900, 300], "rate": 10, "crystal": "fcc"}, RampConfig, prepare_ramp),
        "momt": ({"temperatures": [600, 1300]}, MomtConfig, prepare_only),
        "melt": ({"temperatures": 900}, MeltConfig, run_melt),
    }[run]
    config = from_dict({"structure": {"file": "atoms.traj"}, "potential": EAM, **settings}, kind)
    with pytest.raises(ConfigError, match="1 atoms of the structure are fixed, but in "):
        start(config, tmp_path, tmp_path / "run")


@pytest.mark.parametrize("ensemble", ["nve", "nvt", "npt"])
@pytest.mark.parametrize("turned", [False, True])
def test_velocities_of_the_file_are_those_of_the_first_step(tmp_path, capsys, ensemble, turned):
    atoms = bulk("Al", cubic=not turned) * (2, 2, 2)
    with_velocities(atoms)
    write(tmp_path, atoms)
    structure = {"file": "atoms.traj", "repeat": [1, 2, 1]}
    run_md(make(ensemble=ensemble, structure=structure), tmp_path, tmp_path / "run")
    rows = table(tmp_path / "run")
    assert rows["kinetic_energy_eV"][0] == pytest.approx(2 * atoms.get_kinetic_energy(), rel=1e-6)
    first = ase.io.read(tmp_path / "run/trajectory.extxyz", 0)
    speeds = np.linalg.norm(first.arrays["vel"], axis=1)
    expected = np.linalg.norm(atoms.get_velocities(), axis=1) * 98.22694788  # A/ps
    assert np.allclose(speeds, np.tile(expected, 2), rtol=1e-5)
    assert "the velocities are those of the structure file" in capsys.readouterr().out
    assert "velocities of the structure file" in (tmp_path / "run/in.lammps").read_text()


def test_velocities_are_drawn_where_that_is_asked_or_there_are_none(tmp_path, capsys):
    atoms = with_velocities(bulk("Al", cubic=True) * 2)
    write(tmp_path, atoms)
    run_md(make(velocities="random"), tmp_path, tmp_path / "random")
    assert table(tmp_path / "random")["temperature_K"][0] == pytest.approx(300, rel=1e-6)
    assert "the velocities of the structure file are not used" in capsys.readouterr().out
    atoms.set_momenta(np.zeros((32, 3)))
    write(tmp_path, atoms)
    run_md(make(), tmp_path, tmp_path / "zero")
    assert table(tmp_path / "zero")["temperature_K"][0] == pytest.approx(300, rel=1e-6)
    assert "which are all zero, are not used" in capsys.readouterr().out


def test_where_velocities_are_always_drawn_that_is_said(tmp_path, capsys):
    atoms = with_velocities(bulk("Al", cubic=True) * 2)
    atoms.set_initial_charges([0.1] * 32)
    write(tmp_path, atoms)
    settings = {"structure": {"file": "atoms.traj"}, "potential": EAM, "crystal": "fcc", "rate": 10}
    config = from_dict({**settings, "temperatures": [300, 900, 300]}, RampConfig)
    prepare_ramp(config, tmp_path, tmp_path / "run")
    assert "momenta, initial_charges of the structure file are not used" in capsys.readouterr().out
    assert "Velocities" not in (tmp_path / "run/structure.data").read_text()


def test_momenta_of_fixed_atoms_are_no_motion(tmp_path):
    atoms = slab()
    atoms.set_momenta(np.ones((36, 3)), apply_constraint=False)
    write(tmp_path, atoms)
    run_md(make(), tmp_path, tmp_path / "run")
    assert (displacements(tmp_path / "run")[:18] == 0).all()
    expected = 18 * 3 / (2 * 26.9815385)
    assert table(tmp_path / "run")["kinetic_energy_eV"][0] == pytest.approx(expected, rel=1e-6)


def test_masses_of_the_file_are_used(tmp_path, capsys):
    atoms = bulk("Al", cubic=True) * 2
    atoms.set_masses([54.0] * 32)
    atoms.set_initial_magnetic_moments([1.0] * 32)
    write(tmp_path, atoms)
    run_md(make(), tmp_path, tmp_path / "run")
    mass = (tmp_path / "run/structure.data").read_text().split("Masses")[1].split()[1]
    assert float(mass) == pytest.approx(54, rel=1e-8)
    assert "initial_magmoms of the structure file are not used" in capsys.readouterr().out
    atoms.set_masses([54.0] * 31 + [27.0])
    with pytest.raises(DataError, match="the atoms of Al have masses from 27 to 54 u"):
        data_file(atoms, ["Al"])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("momenta:R:3", r"frame 0: momenta are not finite"),
        ("masses:R:1", r"frame 0: masses are not finite"),
    ],
)
def test_numbers_that_are_none_are_said(tmp_path, columns, message):
    values = " ".join(["nan"] * int(columns[-1]))
    header = f'Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:{columns}'
    (tmp_path / "a.xyz").write_text(f"1\n{header}\nAl 0 0 0 {values}\n")
    with pytest.raises(DataError, match=message):
        build_structure(make(structure={"file": "a.xyz"}).structure, tmp_path)


def test_too_many_copies_are_refused_before_memory_is_full(tmp_path):
    structure = {"element": "Al", "repeat": [1000, 1000, 1000]}
    with pytest.raises(ConfigError, match="4000000000 atoms are more than are written here"):
        build_structure(make(structure=structure).structure, tmp_path)


CLUSTERS = {
    "atom": Atoms("Al"),
    "dimer": Atoms("Al2", positions=[[0, 0, 0], [0, 0, 2.6]]),
    "along the diagonal": Atoms("AlNi", positions=[[0, 0, 0], [1.5, 1.5, 1.5]]),
    "flat": Atoms("Al3Ni", positions=[[0, 0, 0], [2.6, 0, 0], [0, 2.6, 0], [2.6, 2.6, 0]]),
    "chain": Atoms("Al4", positions=[[2.5 * k, 0, 0] for k in range(4)]),
    "far apart": Atoms("Al2", positions=[[0, 0, 0], [0, 0, 400.0]]),
    "sheet": Atoms("Al2", positions=[[0, 0, 0], [2.0, 2.0, 0]], cell=[4, 4, 0], pbc=[True, True, False]),
    "row": Atoms("Al", cell=[0, 0, 3.0], pbc=[False, False, True]),
}


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("kind", CLUSTERS)
def test_small_and_flat_clusters_run_with_the_energy_of_ase(tmp_path, small_model, kind, ranks):
    atoms = CLUSTERS[kind].copy()
    ase.io.write(tmp_path / "atoms.extxyz", atoms)
    shutil.copy(small_model, tmp_path / "small.pt")
    settings = {"structure": {"file": "atoms.extxyz"}, "potential": {"model": "small.pt"}, "device": "cpu"}
    ensemble = "nve" if ranks == 1 else "nvt"
    run_md(make(**settings, ensemble=ensemble, ranks=ranks), tmp_path, tmp_path / "run")
    rows = table(tmp_path / "run")
    atoms.calc = UnnpCalculator(small_model, device="cpu", dtype="float64")
    assert rows["potential_energy_eV"][0] == pytest.approx(atoms.get_potential_energy(), abs=1e-7)
    assert np.isfinite(rows["temperature_K"]).all()
    assert rows["temperature_K"][0] == pytest.approx(300, rel=1e-6)
    first = ase.io.read(tmp_path / "run/trajectory.extxyz", 0)
    assert first.get_potential_energy() == pytest.approx(atoms.get_potential_energy(), abs=1e-10)
    if ensemble == "nve":
        assert np.ptp(rows["total_energy_eV"]) < 1e-3
    degrees = {"atom": 3, "dimer": 1, "along the diagonal": 1, "far apart": 1, "flat": 6, "chain": 7, "row": 3}
    expected = degrees.get(kind, 3 * len(atoms) - 3) / 2 * 8.617333e-5 * 300
    assert rows["kinetic_energy_eV"][0] == pytest.approx(expected, rel=1e-5)


def test_states_in_one_box_keep_their_places_along_a_direction_that_is_not_periodic(tmp_path):
    states = [Atoms("Al2", [[1, 1, 0], [2, 2, z]], cell=(6, 6, 0), pbc=(True, True, False)) for z in (3.0, -2.0)]
    read = []
    for k, text in enumerate(data_files(states, ["Al"])):
        (tmp_path / f"{k}.data").write_text(text)
        read.append(ase.io.read(tmp_path / f"{k}.data", format="lammps-data"))
    assert read[0].cell.array == pytest.approx(read[1].cell.array)
    moved = states[1].positions - states[0].positions
    assert read[1].positions - read[0].positions == pytest.approx(moved)
