"""D3 in LAMMPS and in ASE: the same numbers, on top of a model and alone; what goes wrong is said."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.mixing import SumCalculator
from unnp.adapters.ase import UnnpCalculator
from unnp.adapters.dispersion import D3Calculator, D3Config
from unnp.adapters.labeller import LabellerCalculator
from unnp.config import from_dict
from unnp.errors import ConfigError, UnnpError
from unnp.lammps.system import model_lines
from unnp.lammps.system_config import InteractionConfig
from unnp.workflows.md.config import MdConfig
from unnp.workflows.md.run import run_md

needs_dftd3 = pytest.mark.skipif(find_spec("dftd3") is None, reason="dftd3 is not installed")
SHORT = {"cutoff": 12, "coordination_cutoff": 8}


def alloy() -> Atoms:
    atoms = bulk("Ni", cubic=True, a=3.8) * (2, 2, 2)
    atoms.symbols[::3] = "Al"
    atoms.rattle(0.1, seed=1)
    return atoms


@needs_dftd3
def test_md_with_d3_has_the_numbers_of_the_sum_in_ase(small_model: Path, tmp_path: Path) -> None:
    atoms = alloy()
    ase.io.write(tmp_path / "alloy.xyz", atoms)
    settings = {
        "structure": {"file": "alloy.xyz"},
        "potential": {"model": str(small_model), "d3": SHORT},
        "ensemble": "nve",
        "temperature": 300,
        "steps": 1,
        "thermo": 1,
        "dump": {"every": 1},
    }
    run_md(from_dict(settings, MdConfig), tmp_path, tmp_path / "run")
    first = ase.io.read(tmp_path / "run/trajectory.extxyz", 0)
    parts = [UnnpCalculator(small_model), D3Calculator(D3Config(**SHORT))]
    atoms.calc = SumCalculator(parts)
    table = np.genfromtxt(tmp_path / "run/thermo.csv", delimiter=",", names=True)
    assert table["potential_energy_eV"][0] == pytest.approx(atoms.get_potential_energy(), rel=2e-6)
    np.testing.assert_allclose(first.get_forces(), atoms.get_forces(), atol=2e-6)
    alone = atoms.copy()
    alone.calc = parts[0]
    assert np.abs(alone.get_forces() - atoms.get_forces()).max() > 1e-3
    assert alone.get_potential_energy() - atoms.get_potential_energy() > 1


@needs_dftd3
@pytest.mark.parametrize("damping", ["bj", "zero"])
def test_d3_alone_has_the_numbers_of_lammps(damping: str) -> None:
    atoms = alloy()
    atoms.calc = D3Calculator(D3Config(damping=damping, functional="pbe", **SHORT))
    words = {"bj": "bj", "zero": "original"}[damping]
    style = {"pair_style": f"dispersion/d3 {words} pbe 12 8", "pair_coeff": ["* * Ni Al"]}
    other = atoms.copy()
    other.calc = LabellerCalculator({"kind": "lammps", "elements": ["Ni", "Al"], **style})
    assert atoms.get_potential_energy() == pytest.approx(other.get_potential_energy(), rel=2e-6)
    np.testing.assert_allclose(atoms.get_forces(), other.get_forces(), atol=1e-6)
    np.testing.assert_allclose(atoms.get_stress(), other.get_stress(), atol=1e-6)


@needs_dftd3
def test_forces_and_stress_are_derivatives_of_the_energy() -> None:
    atoms = alloy()[:6]
    atoms.calc = D3Calculator(D3Config(**SHORT))
    forces, stress, step = atoms.get_forces(), atoms.get_stress(voigt=False), 1e-3
    moved = []
    for sign in (1, -1):
        copy = atoms.copy()
        copy.calc = atoms.calc
        copy.positions[2, 1] += sign * step
        moved.append(copy.get_potential_energy())
    assert forces[2, 1] == pytest.approx(-(moved[0] - moved[1]) / (2 * step), abs=1e-6)
    strained = []
    for sign in (1, -1):
        copy = atoms.copy()
        copy.calc = atoms.calc
        copy.set_cell(copy.cell.array @ (np.eye(3) + sign * step * np.diag([1, 0, 0])), scale_atoms=True)
        strained.append(copy.get_potential_energy())
    assert stress[0, 0] == pytest.approx((strained[0] - strained[1]) / (2 * step) / atoms.get_volume(), rel=1e-3)


@needs_dftd3
def test_molecules_have_no_cell() -> None:
    """Two water molecules, far apart: twice the energy of one."""
    one = molecule("H2O")
    two = one + one
    two.positions[3:] += (0, 0, 60)
    energies = []
    for atoms in (one, two):
        atoms.calc = D3Calculator()
        energies.append(atoms.get_potential_energy())
        assert "stress" not in atoms.calc.results
    assert energies[1] == pytest.approx(2 * energies[0])


def test_commands_have_further_words_of_the_model_last(small_model: Path) -> None:
    settings = from_dict({"model": "m.pt", "d3": {"damping": "zero"}, "dtype": "float32"}, InteractionConfig)
    lines = model_lines(settings, "m.pt", ["Al", "Ni"])
    words = [" ".join(line.split()) for line in lines[:3]]
    assert words == [
        "pair_style hybrid/overlay dispersion/d3 original pbe 30 20 unnp dtype float32",
        "pair_coeff * * unnp m.pt Al Ni",
        "pair_coeff * * dispersion/d3 Al Ni",
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "m.pt", "d3": {"functional": "pbe; shell"}}, "one word"),
        ({"model": "m.pt", "d3": {"cutoff": 10}}, "not above `cutoff`"),
        ({"model": "m.pt", "d3": {"damping": "bjm"}}, "damping"),
        ({"pair_style": "eam/fs", "pair_coeff": ["* * a"], "d3": {}}, "`d3` goes on top of a `model`"),
    ],
)
def test_wrong_settings(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_dict(settings, InteractionConfig)


@needs_dftd3
def test_what_d3_does_not_know() -> None:
    with pytest.raises(ConfigError, match="functional 'nonsense'"):
        D3Calculator(D3Config(functional="nonsense"))
    atoms = bulk("Fe")
    atoms.numbers[0] = 95
    atoms.calc = D3Calculator(D3Config(**SHORT))
    with pytest.raises(UnnpError, match="no parameters for Am"):
        atoms.get_potential_energy()
