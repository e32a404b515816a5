"""The models in models/: what their cards promise, and no hole where atoms come close."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.data import atomic_numbers, reference_states
from unnp.adapters.ase import UnnpCalculator
from unnp.exported.archive import read_manifest

MODELS = sorted((Path(__file__).parents[2] / "models").glob("*/model.pt"))
CASES = [(path, symbol) for path in MODELS for symbol in read_manifest(path).elements]
CRYSTALS = [
    (path, symbol) for path, symbol in CASES if reference_states[atomic_numbers[symbol]]["symmetry"] != "diatom"
]
CLOSE = np.arange(0.3, 2.1, 0.02)
"""Distances [A] at which two atoms repel: Ni2, Cu2, Si2 and Ge2 are 2.15 to 2.4 A long (Huber, Herzberg 1979)."""
SHORT = {"Nb": 2.0, "Mo": 1.9, "W": 2.0, "H": 0.7, "C": 1.2, "O": 1.15}
"""Where the repulsion of those ends that have shorter dimers, of 0.74 (H2) to 2.08 A (Nb2)."""
BARE = 14.4
"""Energy of two charges e that are 1 A apart [eV]."""


@pytest.fixture(scope="module", params=MODELS, ids=lambda path: path.parent.name)
def calculator(request):
    return UnnpCalculator(request.param, device="cpu", skin=0.0)


def name_of(case: tuple[Path, str]) -> str:
    return f"{case[0].parent.name}-{case[1]}"


def opened(case: tuple[Path, str]) -> tuple[UnnpCalculator, str]:
    path, symbol = case
    return UnnpCalculator(path, device="cpu", skin=0.0), symbol


@pytest.fixture(scope="module", params=CASES, ids=name_of)
def of_element(request):
    """A model and one of its elements."""
    return opened(request.param)


@pytest.fixture(scope="module", params=CRYSTALS, ids=name_of)
def of_crystal(request):
    """A model and one of its elements that is a crystal of atoms."""
    return opened(request.param)


def crystal_of(symbol: str) -> Atoms:
    """Return a cell of the element's crystal with right angles."""
    if reference_states[atomic_numbers[symbol]]["symmetry"] == "hcp":
        return bulk(symbol, orthorhombic=True)
    return bulk(symbol, cubic=True)


def test_two_atoms_repel_ever_more(of_element):
    calculator, symbol = of_element
    energies = []
    for distance in CLOSE[SHORT.get(symbol, 9.0) > CLOSE]:
        atoms = Atoms([symbol] * 2, [[0, 0, 0], [0, 0, distance]], calculator=calculator)
        energies.append(atoms.get_potential_energy())
    assert np.diff(energies).max() < 0
    bare = BARE * atomic_numbers[symbol] ** 2 / CLOSE[0]
    assert energies[0] - energies[-1] > 0.05 * bare  # what the electrons leave of it


# To the nearest atom, and to a further one over a hole of the lattice, in cell vectors; where the way begins, in A. No third
# atom is near the second way: in hcp it leads through the octahedron, as in fcc, not along (0, 1, 0), which passes between two
# atoms half a lattice constant away.
WAYS = {
    "fcc": [((0.5, 0.5, 0), 2.1), ((1, 0, 0), 1.7)],
    "bcc": [((0.5, 0.5, 0.5), 2.1), ((1, 0, 0), 1.7)],
    "hcp": [((1, 0, 0), 2.1), ((0, 2 / 3, 1 / 2), 1.7)],
    "diamond": [((0.25, 0.25, 0.25), 2.1), ((0.5, 0.5, 0), 1.7)],
}


@pytest.mark.parametrize("way", [0, 1], ids=["nearest", "over a hole"])
def test_an_atom_pushed_onto_another_in_the_crystal_is_pushed_back(of_crystal, way):
    calculator, symbol = of_crystal
    crystal = crystal_of(symbol)
    target, start = WAYS[reference_states[atomic_numbers[symbol]]["symmetry"]][way]
    target, start = np.array(target) @ crystal.cell.array, min(start, SHORT.get(symbol, start))
    crystal *= (2, 2, 2)
    unit = target / np.linalg.norm(target)
    energies = []
    for distance in CLOSE[start > CLOSE]:
        atoms = crystal.copy()
        atoms.positions[0] += target - unit * distance
        atoms.calc = calculator
        energies.append(atoms.get_potential_energy())
    assert np.diff(energies).max() < 0


def test_the_manifest_says_what_the_model_has_seen(calculator):
    said = calculator.potential.manifest.validity
    assert "zbl" in said["closer than that"]
    assert {"closest atoms", "volumes", "largest force"} < set(said)


def test_a_compressed_crystal_does_not_fall_into_a_hole(of_crystal):
    calculator, symbol = of_crystal
    crystal = crystal_of(symbol)
    crystal.calc = calculator
    cell, energies = crystal.cell.copy(), []
    for volume in (volumes := np.arange(0.9, 0.05, -0.02)):
        crystal.set_cell(cell * volume ** (1 / 3), scale_atoms=True)
        energies.append(crystal.get_potential_energy())
    n = int((volumes > 0.4).sum())
    assert np.diff(energies[:n]).min() > 0
    assert min(energies[n:]) > energies[int((volumes > 0.6).sum())]


def test_atoms_closer_than_in_the_data_are_said_once(calculator, caplog):
    symbol = next(symbol for path, symbol in CRYSTALS if path == calculator.potential.path)
    fresh = UnnpCalculator(calculator.potential.path, device="cpu")
    crystal = crystal_of(symbol)
    crystal.calc = fresh
    crystal.get_potential_energy()
    assert caplog.text == ""
    for distance in (0.6, 0.5):
        Atoms([symbol] * 2, [[0, 0, 0], [0, 0, distance]], calculator=fresh).get_potential_energy()
    assert caplog.text.count("are 0.60 A apart") == 1
    assert "0.50 A" not in caplog.text
    assert "`unnp info`" in caplog.text
