"""Phase labels and profiles on configurations whose phases are known, and the field of interface pinning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from unnp.config import from_dict
from unnp.lammps.data_file import data_file
from unnp.lammps.launch import Launch
from unnp.lammps.run import run_lammps
from unnp.lammps.system import System
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.crystal import build_crystal
from unnp.workflows.melt.two_phase.cell import averages
from unnp.workflows.melt.two_phase.decks import DeckWriter, two_phase_data
from unnp.workflows.melt.two_phase.labels import Calibration, PhaseLostError, check_both_present, read_profiles

CRYSTALS = {
    "fcc": ({"element": "Al", "lattice": "fcc", "a": 4.05}, [6, 6, 16]),
    "bcc": ({"element": "Fe", "lattice": "bcc", "a": 2.87}, [8, 8, 22]),
    "hcp": ({"element": "Mg", "lattice": "hcp", "a": 3.2, "c": 5.2}, [7, 4, 14]),
    "diamond": ({"element": "Si", "lattice": "diamond", "a": 5.43}, [4, 4, 12]),
}


def half_disordered(atoms: Atoms, seed: int) -> Atoms:
    """Return atoms with 5 % of the neighbour distance of thermal motion, and random ones (apart) in the outer half."""
    rng = np.random.default_rng(seed)
    spacing = (atoms.get_volume() / len(atoms)) ** (1 / 3)
    z = atoms.get_scaled_positions()[:, 2] + 1e-6
    copy = atoms.copy()
    copy.positions += 0.05 * spacing * rng.normal(size=(len(atoms), 3))
    outer = (z < 0.25) | (z > 0.75)
    copy.positions[outer] += 0.6 * spacing * rng.uniform(-1, 1, size=(int(outer.sum()), 3))
    return copy


@pytest.mark.parametrize("name", CRYSTALS)
def test_labels_tell_a_crystal_from_disorder(name: str, tmp_path: Path) -> None:
    structure, repeat = CRYSTALS[name]
    settings = {
        "structure": structure,
        "potential": {"pair_style": "zero 6.0", "pair_coeff": ["* *"]},
        "temperatures": 1,
        "timestep": 1e-5,  # nothing moves
        "pressure_damping": 1000,
        "cell": {"atoms": 500, "repeat": repeat},
        "coexistence": {"duration": 1e-6},
    }
    config = from_dict(settings, MeltConfig)
    crystal = build_crystal(config, tmp_path)
    element = [structure["element"]]
    system = System(name, element, "p p p", ["pair_style zero 6.0", "pair_coeff * *"])
    text = data_file(half_disordered(crystal.atoms, 1), element)
    velocities = np.random.default_rng(2).normal(size=(len(crystal.atoms), 3))  # a barostat wants a temperature
    rows = "\n".join(f"{k} {x:.4f} {y:.4f} {z:.4f}" for k, (x, y, z) in enumerate(velocities, 1))
    (tmp_path / two_phase_data(1)).write_text(f"{text}\n\nVelocities\n\n{rows}\n")
    (tmp_path / "in.lammps").write_text(DeckWriter(config, system, crystal, 1.0).coexistence())
    log = run_lammps(tmp_path / "in.lammps", Launch(launcher=""))
    share = averages(log.blocks[0])["crystal_like"][-1]
    assert 0.4 < share < 0.52
    profiles = read_profiles(tmp_path / "profile.1.dat")
    _, crystal_like = profiles.last(1, 0.02)
    z = profiles.position
    assert crystal_like[(z > 0.35) & (z < 0.65)].min() > 0.95
    assert crystal_like[(z < 0.15) | (z > 0.85)].max() < 0.1
    assert profiles.density.mean() == pytest.approx(len(crystal.atoms) / crystal.atoms.get_volume(), rel=1e-3)


def test_solid_share_and_lost_phases():
    calibration = Calibration(solid=0.98, liquid=0.02)
    assert calibration.solid_share(np.array([0.02, 0.5, 0.98])).tolist() == pytest.approx([0, 0.5, 1])
    check_both_present(np.array([0.2, 0.8]), 900, "here", adiabatic=True)
    with pytest.raises(PhaseLostError, match="here: the whole cell became liquid, at 900 K") as lost:
        check_both_present(np.array([0.5, 0.05]), 900, "here", adiabatic=True)
    assert (lost.value.left, lost.value.temperature, lost.value.adiabatic) == ("liquid", 900, True)
    with pytest.raises(PhaseLostError, match="became solid"):
        check_both_present(np.array([0.5, 0.95]), 900, "here", adiabatic=False)


def test_a_profile_cut_short_is_left_out(tmp_path):
    rows = "200 2 8\n  1 0.25 4 0.06 1\n  2 0.75 4 0.05 0\n"
    (tmp_path / "profile.dat").write_text("# Chunk\n" + rows + rows.replace("200", "400") + "600 2 8\n  1 0.25 4 0.06")
    profiles = read_profiles(tmp_path / "profile.dat")
    assert profiles.step.tolist() == [200, 400]
    assert profiles.position.tolist() == [0.25, 0.75]
    assert profiles.crystal_like.tolist() == [[1, 0], [1, 0]]


def test_the_field_of_fix_rhok_is_the_one_that_pinning_is_derived_from(tmp_path):
    atoms = bulk("Al", a=4.05, cubic=True) * (3, 3, 4)
    atoms.rattle(0.25, seed=2)
    stiffness, anchor, n = 0.3, 4.0, (6, 0, 0)
    (tmp_path / "structure.data").write_text(data_file(atoms, ["Al"]))
    (tmp_path / "in.lammps").write_text(
        "units metal\natom_style atomic\nread_data structure.data\npair_style zero 5.0\npair_coeff * *\n"
        f"fix order all rhok {n[0]} {n[1]} {n[2]} {stiffness} {anchor}\nfix_modify order energy yes\n"
        "thermo_style custom step pe f_order[3] pxx pyy pzz\nthermo_modify format float %.15g\n"
        "dump forces all custom 1 forces.txt id x y z fx fy fz\n"
        "dump_modify forces sort id format float %.15g\nrun 0\n"
    )
    row = run_lammps(tmp_path / "in.lammps", Launch(launcher="")).blocks[0].rows[0]
    table = np.loadtxt(tmp_path / "forces.txt", skiprows=9)
    positions, forces = table[:, 1:4], table[:, 4:]
    k = 2 * np.pi * np.array(n) / atoms.cell.lengths()

    def energy(x: np.ndarray) -> tuple[float, float]:
        order = abs(np.exp(1j * x @ k).sum()) / np.sqrt(len(x))
        return 0.5 * stiffness * (order - anchor) ** 2, order

    assert (row[1], row[2]) == (pytest.approx(energy(positions)[0], rel=1e-9), pytest.approx(energy(positions)[1]))
    for atom in (0, 70, 143):
        step = np.zeros_like(positions)
        step[atom, 0] = 1e-5
        slope = (energy(positions + step)[0] - energy(positions - step)[0]) / 2e-5
        assert forces[atom] == pytest.approx([-slope, 0, 0], rel=1e-6, abs=1e-9)
    assert row[3:] == [0, 0, 0]  # nothing of it reaches the barostat
