"""The calculator where things go wrong, and where it is copied, sent to other processes or called directly."""

from __future__ import annotations

import copy
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import CalculationFailed
from ase.calculators.lj import LennardJones
from typer.testing import CliRunner
from unnp.adapters.ase import UnnpCalculator
from unnp.cli import build_app
from unnp.errors import DataError, ModelError, UnnpError
from unnp.exported.loader import LoadedPotential, load_model


def alloy() -> Atoms:
    atoms = bulk("Al", "fcc", a=4.05, cubic=True)
    atoms.numbers[2] = 28
    atoms.rattle(0.1, seed=0)
    return atoms


def spoil(potential: LoadedPotential, value: float, member: int = 0) -> None:
    """Make the strength of Ni, of one member, NaN or infinite."""
    potential.module.strength.data[member, 1] = value


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("quantity", ["get_potential_energy", "get_forces", "get_stress", "get_stresses"])
def test_numbers_that_are_not_finite_are_an_error_that_names_the_atom(small_model, value, quantity):
    atoms = Atoms("AlAlNiAl", positions=[[0, 0, 0], [9, 0, 0], [20, 0, 0], [20, 0, 0.4]], cell=[40] * 3, pbc=True)
    atoms.calc = UnnpCalculator(small_model, device="cpu")
    spoil(atoms.calc.potential, value)
    for _ in range(2):  # also when asked again: nothing wrong is kept
        with pytest.raises(ModelError, match=r"small\.pt: the (energy|force) of atom 2 \(Ni\) is not finite") as error:
            getattr(atoms, quantity)()
        assert isinstance(error.value, CalculationFailed)
        assert "Its nearest neighbour, atom 3 (Al), is 0.4 A away." in str(error.value)
        assert "\n" not in str(error.value)
        assert atoms.calc.results == {}


def test_a_member_of_a_committee_that_is_not_finite_is_named(small_model):
    calculator = UnnpCalculator(small_model, device="cpu")
    spoil(calculator.potential, float("nan"), member=1)
    with pytest.raises(CalculationFailed, match=r"member 1 of the committee: the force of atom \d \((Al|Ni)\)"):
        calculator.committee(alloy())


def test_evaluate_stops_at_numbers_that_are_not_finite(small_model, tmp_path, monkeypatch):
    from ase.io import write

    good, bad = bulk("Al", cubic=True), alloy()
    write(tmp_path / "frames.xyz", [good, bad], format="extxyz")

    def load(*arguments):
        potential = load_model(*arguments)
        spoil(potential, float("nan"))
        return potential

    monkeypatch.setattr("unnp.exported.loader.load_model", load)
    arguments = ["--device", "cpu", "--read", "missing=allow", "--read", "required=[]"]
    paths = [str(small_model), str(tmp_path / "frames.xyz"), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(build_app(), ["evaluate", *paths, *arguments])
    assert isinstance(result.exception, ModelError)
    assert "(Ni) of" in str(result.exception) or "(Al) of" in str(result.exception)
    assert "frames.xyz frame 1 is not finite" in str(result.exception)
    assert list((tmp_path / "out").iterdir()) == []


def test_called_directly_it_computes_everything_as_ases_own_do(small_model):
    calculator, own = UnnpCalculator(small_model, device="cpu"), LennardJones()
    atoms = alloy()
    calculator.calculate(atoms)
    own.calculate(atoms)
    assert set(own.results) <= set(calculator.results)
    expected = UnnpCalculator(small_model, device="cpu")
    assert np.array_equal(calculator.results["forces"], expected.get_forces(atoms))
    assert np.array_equal(calculator.results["stress"], expected.get_stress(atoms))
    calculator.calculate(atoms, ["energy"])
    assert "forces" not in calculator.results
    cluster = Atoms("Al2", positions=[[0, 0, 0], [0, 0, 2.5]])
    calculator.calculate(cluster)
    assert "forces" in calculator.results
    assert "stress" not in calculator.results
    with pytest.raises(DataError, match="give the atoms"):
        UnnpCalculator(small_model, device="cpu").calculate()


@pytest.mark.parametrize("through", ["pickle", "deepcopy", "copy"])
def test_copies_give_the_same_numbers(small_model, through, monkeypatch, tmp_path):
    monkeypatch.chdir(small_model.parent)
    atoms = alloy()
    atoms.calc = UnnpCalculator(small_model.name, device="cpu", dtype="float32", skin=0.3)
    forces = atoms.get_forces()
    monkeypatch.chdir(tmp_path)  # the path was relative
    copies = {"pickle": lambda a: pickle.loads(pickle.dumps(a)), "deepcopy": copy.deepcopy, "copy": lambda a: a}
    again = copies[through](atoms)
    if through == "copy":
        again = atoms.copy()
        again.calc = copy.copy(atoms.calc)
    assert again.calc is not atoms.calc
    again.positions += 0.0
    again.calc.results = {}
    assert np.array_equal(again.get_forces(), forces)
    assert again.calc._list.skin == 0.3
    assert again.calc.potential.dtype == atoms.calc.potential.dtype
    moved = again.copy()
    moved.positions[0] += 0.2
    again.calc.get_forces(moved)
    assert np.array_equal(atoms.get_forces(), forces)  # the original has its own list and results


def test_a_pickled_calculator_notices_that_its_file_is_gone_or_another_one(small_model, write_model, tmp_path):
    path = write_model(tmp_path / "m.pt")
    pickled = pickle.dumps(UnnpCalculator(path, device="cpu"))
    write_model(path, name="another model")
    calculator = pickle.loads(pickled)
    with pytest.raises(ModelError, match=r"m\.pt is another model than the one this calculator was made with"):
        calculator.get_potential_energy(alloy())
    path.unlink()
    with pytest.raises(ModelError, match=r"m\.pt: .*does not exist"):
        pickle.loads(pickled).get_potential_energy(alloy())


def energy(atoms: Atoms) -> float:
    return atoms.get_potential_energy()


def test_pool_of_spawned_processes(small_model):
    atoms = alloy()
    atoms.calc = UnnpCalculator(small_model, device="cpu")
    expected = atoms.get_potential_energy()
    atoms.calc.results = {}
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map_async(energy, [atoms, atoms]).get(timeout=60) == [expected, expected]


FORK = """
import multiprocessing, sys, torch, json
from ase.build import bulk
from unnp.adapters.ase import UnnpCalculator
calculator = UnnpCalculator(sys.argv[1], device="cpu")
def work(seed):
    assert torch.ones(1_000_000).exp().sum() > 0  # large enough for several threads
    atoms = bulk("Al", cubic=True)
    atoms.rattle(0.05, seed=seed)
    atoms.calc = calculator
    return atoms.get_forces()[0].tolist()
torch.set_num_threads(2)
expected = [work(0), work(1)]
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(json.dumps([expected, pool.map_async(work, [0, 1]).get(timeout=30)]))
"""


def test_pool_of_forked_processes_after_several_threads(small_model):
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", FORK, str(small_model)], capture_output=True, text=True, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stderr
    expected, found = json.loads(done.stdout)
    assert np.allclose(expected, found, atol=1e-12)


def test_the_package_imports_no_pickle():
    source = Path(sys.modules["unnp"].__file__).parent
    assert not [p for p in source.rglob("*.py") if "import pickle" in p.read_text()]


def test_errors_are_one_class(small_model):
    with pytest.raises(UnnpError, match="does not exist"):
        UnnpCalculator("nowhere.pt")
