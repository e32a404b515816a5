"""D3 in LAMMPS and in ASE: the same numbers, on top of a model and alone; what goes wrong is said."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.calculators.mixing import SumCalculator
from ase.stress import voigt_6_to_full_3x3_stress
from typer.testing import CliRunner
from unnp.adapters.ase import UnnpCalculator
from unnp.adapters.dispersion import D3Calculator, D3Config
from unnp.adapters.labeller import LabellerCalculator
from unnp.adapters.opening import known_elements, open_calculator
from unnp.adapters.potentials import PotentialFile, identity, identity_of, open_potential
from unnp.atoms.structure import Structure
from unnp.cli import build_app
from unnp.config import from_dict
from unnp.errors import ConfigError, UnnpError
from unnp.evaluate.calculators import computed_by
from unnp.lammps.opening import open_interaction
from unnp.lammps.system import model_lines
from unnp.lammps.system_config import InteractionConfig
from unnp.workflows.benchmark.errors import errors_of
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


@pytest.fixture
def emt(tmp_path: Path) -> Path:
    (tmp_path / "emt.yaml").write_text("kind: ase\nname: emt\n")
    return tmp_path / "emt.yaml"


def summed(parts: list[Calculator], atoms: Atoms) -> tuple[float, np.ndarray, np.ndarray]:
    """Return energy, forces and stress, added up here."""
    found = [(p.get_potential_energy(atoms), p.get_forces(atoms), p.get_stress(atoms)) for p in parts]
    return tuple(sum(values) for values in zip(*found, strict=True))  # type: ignore[return-value]


@needs_dftd3
def test_a_potential_from_its_file_with_d3_is_their_sum(small_model: Path, emt: Path) -> None:
    d3 = D3Config(functional="revpbe", **SHORT)
    for path, alone in {emt: EMT(), small_model: UnnpCalculator(small_model, dtype="float64")}.items():
        calculator = open_calculator(path, d3=d3)
        energy, forces, stress = summed([alone, D3Calculator(d3)], alloy())
        atoms = alloy()
        atoms.calc = calculator
        assert atoms.get_potential_energy() == pytest.approx(energy, abs=1e-9)
        np.testing.assert_allclose(atoms.get_forces(), forces, atol=1e-9)
        np.testing.assert_allclose(atoms.get_stress(), stress, atol=1e-11)
    assert known_elements(calculator) == ["Al", "Ni"]
    assert known_elements(open_calculator(emt, d3=d3)) == []


@needs_dftd3
def test_potentials_of_configurations_may_have_d3(emt: Path, tmp_path: Path) -> None:
    given = from_dict({"file": "emt.yaml", "d3": {"functional": "pbe", **SHORT}}, PotentialFile)
    (calculator,) = open_potential("emt", given, ["AlNi3"], tmp_path, "cpu").values()
    energy = summed([EMT(), D3Calculator(D3Config(**SHORT))], alloy())[0]
    assert calculator.get_potential_energy(alloy()) == pytest.approx(energy, abs=1e-9)


def test_d3_tells_a_potential_from_the_same_without(emt: Path, tmp_path: Path) -> None:
    potentials: list[dict] = [{}, {"d3": {}}, {"d3": {"functional": "revpbe"}}]
    found = {identity_of(from_dict({"file": "emt.yaml", **words}, PotentialFile), tmp_path) for words in potentials}
    assert len(found) == 3
    assert identity_of(from_dict({"file": "emt.yaml"}, PotentialFile), tmp_path) == identity(emt, None)


def run(*words: object) -> str:
    result = CliRunner().invoke(build_app(), [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@needs_dftd3
def test_verbs_add_d3(small_model: Path, emt: Path, tmp_path: Path) -> None:
    atoms = alloy()
    energy, forces, stress = summed([UnnpCalculator(small_model, dtype="float64"), D3Calculator()], atoms)
    atoms.info |= {"energy": energy, "stress": voigt_6_to_full_3x3_stress(stress)}
    atoms.arrays["forces"] = forces
    ase.io.write(tmp_path / "alloy.xyz", atoms, format="extxyz", write_results=False)
    run("evaluate", small_model, tmp_path / "alloy.xyz", "-o", tmp_path / "errors", "--d3", "pbe", "--dtype", "float64")
    errors = json.loads((tmp_path / "errors/errors.json").read_text())["overall"]
    assert errors.keys() == {"energy", "forces", "stress"}
    assert all(row["rmse"] < 1e-4 for row in errors.values())
    words = ["-o", tmp_path / "relaxed", "--d3", "pbe", "--max-steps", "0"]
    run("relax", emt, tmp_path / "alloy.xyz", *words)
    relaxed = ase.io.read(tmp_path / "relaxed/relaxed.extxyz")
    expected = summed([EMT(), D3Calculator()], alloy())[0]
    assert relaxed.get_potential_energy() == pytest.approx(expected, abs=1e-6)


def test_d3_in_lammps_goes_on_top_of_a_model(small_model: Path, emt: Path) -> None:
    assert open_interaction(small_model, d3=D3Config()).d3 == D3Config()
    with pytest.raises(ConfigError, match=r"goes on top of a model, and .*emt\.yaml is a calculator file"):
        open_interaction(emt, d3=D3Config())
    with pytest.raises(ConfigError, match="the name of a functional is one word"):
        run("elastic", emt, "-o", emt.parent / "elastic", "--element", "Cu", "--d3", "pbe; shell")


def test_what_is_missing_is_said(emt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dftd3.interface", None)
    with pytest.raises(ConfigError, match=r"needs the package dftd3: pip install 'unnp\[d3\]'"):
        run("crystals", emt, "-o", emt.parent / "crystals", "--element", "Cu", "--d3", "pbe")


@needs_dftd3
def test_a_benchmark_judges_a_model_with_its_d3(small_model: Path) -> None:
    atoms, other = alloy(), alloy()
    other.rattle(0.05, seed=2)
    calculator = open_calculator(small_model, d3=D3Config(**SHORT))
    structures = [computed_by(calculator, Structure.from_atoms(each)) for each in (atoms, other)]
    with_d3 = InteractionConfig(model=small_model, d3=D3Config(**SHORT), dtype="float64")
    own = errors_of(with_d3, structures, Path(), "cpu")
    assert own.keys() == {"energy", "forces", "force_norms", "stress"}
    assert max(own.values()) < 1e-5
    alone = errors_of(InteractionConfig(model=small_model, dtype="float64"), structures, Path(), "cpu")
    assert min(alone.values()) > 1e-2
