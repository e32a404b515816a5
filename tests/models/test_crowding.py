"""The repulsion of atoms that are crowded, by hand and against what the training data have."""

from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import predict
from unnp.errors import ConfigError
from unnp.models import Head, Potential, PotentialConfig, TrainingData, build_potential

ELEMENTS, HEADS = ["Cu"], [Head(7.0, {"Cu": 0.0})]


def graph(atoms: Atoms) -> Graph:
    return Graph.of(Structure.from_atoms(atoms), Elements(ELEMENTS), 4.0)


def build(seen: list[Atoms], **settings: Any) -> Potential:
    data = TrainingData(12.0, [graph(atoms) for atoms in seen])
    config = PotentialConfig(architecture="crowding", settings=settings)
    return build_potential(config, ELEMENTS, HEADS, data).double()


def crystal(volume: float = 1.0) -> Atoms:
    atoms = bulk("Cu", cubic=True)
    atoms.set_cell(atoms.cell * volume ** (1 / 3), scale_atoms=True)
    return atoms


def energies(potential: Potential, atoms: Atoms) -> np.ndarray:
    return predict(potential, graph(atoms)).atomic_energy.numpy()


def test_formula_by_hand():
    atoms = Atoms("Cu3", [[0, 0, 0], [2, 0, 0], [0, 3, 0]])
    weight = {r: (1 - r**2 / 16) ** 3 for r in (2, 3, 13**0.5)}
    rho = np.array([weight[2] + weight[3], weight[2] + weight[13**0.5], weight[3] + weight[13**0.5]])
    expected = 5.0 * np.maximum(rho / 0.3 - 1, 0) ** 3
    assert expected[0] > expected[1] > expected[2] == 0
    np.testing.assert_allclose(energies(build([], most=0.3, strength=5.0), atoms), expected, rtol=1e-12)


def test_zero_on_the_training_structures_and_rising_beyond_the_densest():
    rattled = crystal(0.9) * (2, 2, 2)
    rattled.rattle(0.1, seed=0)
    seen = [crystal(), rattled, crystal(1.1)]
    potential = build(seen)
    assert all((energies(potential, atoms) == 0).all() for atoms in seen)
    assert energies(potential, rattled).shape == (32,)
    pressed = [energies(potential, crystal(volume)).mean() for volume in (0.6, 0.5, 0.4, 0.3)]
    assert np.diff([0.0, *pressed]).min() > 0.1


def test_what_was_taken_from_the_data_is_in_the_settings():
    potential = build([crystal()])
    most = potential.describe()["settings"]["most"]
    assert energies(build([], most=most), crystal()).max() == pytest.approx(0, abs=1e-15)
    assert energies(build([], most={"Cu": 0.99 * most["Cu"]}), crystal()).max() > 0
    assert energies(build([], most=0.99 * most["Cu"]), crystal()).max() > 0


def test_each_element_has_its_own_number():
    symbols = ["Cu", "C", "H"]
    dense, loose = bulk("Cu", cubic=True), bulk("C", cubic=True)
    graphs = [Graph.of(Structure.from_atoms(atoms), Elements(symbols), 4.0) for atoms in (dense, loose)]
    config = PotentialConfig(architecture="crowding", settings={"strength": 7.0})
    heads = [Head(1.0, dict.fromkeys(symbols, 0.0))]
    potential = build_potential(config, symbols, heads, TrainingData(12.0, graphs)).double()
    most = potential.describe()["settings"]["most"]
    assert set(most) == {"Cu", "C"}
    assert most["C"] < most["Cu"]
    loose.set_cell(0.9 * loose.cell, scale_atoms=True)
    pressed = Graph.of(Structure.from_atoms(loose), Elements(symbols), 4.0)
    assert predict(potential, pressed).energy.item() > 0.1
    hydrogen = Structure.from_atoms(Atoms("H2", [[0, 0, 0], [0, 0, 0.74]]))
    assert predict(potential, Graph.of(hydrogen, Elements(symbols), 4.0)).energy.item() == 0


def test_an_empty_table_is_refused():
    with pytest.raises(ConfigError, match="empty table"):
        build([], most={})


def test_data_without_neighbours_are_refused():
    with pytest.raises(ConfigError, match=r"no two atoms of the training data are within 4 A.*give it"):
        build([Atoms("Cu", cell=[9, 9, 9], pbc=True)])


def test_a_distance_that_is_not_a_number_shows():
    atoms = crystal()
    positions = graph(atoms)
    positions.bond_vector[0] = np.nan
    assert np.isnan(predict(build([], most=1.0), positions).energy.item())


def test_small_atoms_have_to_be_closer():
    config = PotentialConfig(architecture="crowding", settings={"most": 1e-3})
    potential = build_potential(config, ["Cu", "H"], [Head(1.0, {"Cu": 0.0, "H": 0.0})], TrainingData(12.0)).double()
    radius = {"Cu": 1.32, "H": 0.31}
    for pair in (["Cu", "Cu"], ["Cu", "H"], ["H", "H"]):
        reach = 4.0 * (radius[pair[0]] + radius[pair[1]]) / (2 * radius["Cu"])
        for distance, crowded in ((0.8 * reach, True), (1.01 * reach, False)):
            dimer = Structure.from_atoms(Atoms(pair, [[0, 0, 0], [0, 0, distance]]))
            energy = predict(potential, Graph.of(dimer, Elements(["Cu", "H"]), 4.0)).energy.item()
            assert (energy > 0) == crowded, (pair, distance)
