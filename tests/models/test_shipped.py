"""The models in models/: what their cards promise, and no hole where atoms come close."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from unnp.adapters.ase import UnnpCalculator

MODELS = sorted((Path(__file__).parents[2] / "models").glob("*/model.pt"))
CLOSE = np.arange(0.3, 2.2, 0.02)


@pytest.fixture(scope="module", params=MODELS, ids=lambda path: path.parent.name)
def calculator(request):
    return UnnpCalculator(request.param, device="cpu", skin=0.0)


def test_two_atoms_repel_ever_more(calculator):
    symbol = calculator.potential.manifest.elements[0]
    energies = []
    for distance in CLOSE:
        atoms = Atoms([symbol] * 2, [[0, 0, 0], [0, 0, distance]], calculator=calculator)
        energies.append(atoms.get_potential_energy())
    assert np.diff(energies).max() < 0
    assert energies[0] - energies[-1] > 1000


# Along [100] the way leads over the octahedral hole, half a lattice constant (1.8 A) from both atoms.
@pytest.mark.parametrize(("direction", "start"), [((1, 1, 0), 2.1), ((1, 0, 0), 1.7)])
def test_an_atom_pushed_onto_another_in_the_crystal_is_pushed_back(calculator, direction, start):
    symbol = calculator.potential.manifest.elements[0]
    crystal = bulk(symbol, cubic=True) * (2, 2, 2)
    target = crystal.cell[0, 0] / 2 * np.array(direction) / sum(direction)
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


def test_the_repulsion_is_zero_at_all_distances_of_the_data(calculator):
    manifest = calculator.potential.manifest
    assert manifest.config["add"]["zbl"]["outer"] < min(manifest.data["shortest_distances"].values())


def test_a_compressed_crystal_does_not_fall_into_a_hole(calculator):
    symbol = calculator.potential.manifest.elements[0]
    energies = []
    for a in (lengths := np.arange(3.4, 1.0, -0.05)):
        crystal = bulk(symbol, "fcc", a=a, cubic=True)
        crystal.calc = calculator
        energies.append(crystal.get_potential_energy())
    n = int((lengths > 2.675).sum())  # 40 % of the volume at rest
    assert np.diff(energies[:n]).min() > 0
    assert min(energies[n:]) > energies[lengths.round(2).tolist().index(3.0)]


def test_atoms_closer_than_in_the_data_are_said_once(calculator, caplog):
    symbol = calculator.potential.manifest.elements[0]
    fresh = UnnpCalculator(calculator.potential.path, device="cpu")
    crystal = bulk(symbol, cubic=True)
    crystal.calc = fresh
    crystal.get_potential_energy()
    assert caplog.text == ""
    for distance in (1.5, 1.4):
        Atoms([symbol] * 2, [[0, 0, 0], [0, 0, distance]], calculator=fresh).get_potential_energy()
    assert caplog.text.count("are 1.50 A apart") == 1
    assert "1.40 A" not in caplog.text
    assert "`unnp info`" in caplog.text
