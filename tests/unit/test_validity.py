"""What a potential has seen, and the warning where nothing keeps atoms apart beyond that."""

import numpy as np
import pytest
from unnp.atoms.structure import Structure
from unnp.data.statistics import statistics
from unnp.models import Head, PotentialConfig, TrainingData, build_potential
from unnp.models.validity import missing_repulsion, validity

SMALL = {"layer_cutoffs": [4.0, 4.0], "scalars": 4, "vectors": 2, "tensors": 2, "bond_scalars": 2, "hidden": 4}


def potential(add):
    config = PotentialConfig(settings={**SMALL, "projections": 2}, add=add)
    return build_potential(config, ["Al", "Ni"], [Head(1.0, {"Al": 0.0, "Ni": 0.0})], TrainingData(10.0))


def frames():
    crystal = Structure(np.array([13, 28]), np.array([[0.0, 0, 0], [1.5, 0, 0]]), 3.0 * np.eye(3), np.ones(3, bool))
    cluster = Structure(
        np.array([28, 28, 13]), np.array([[0.0, 0, 0], [0, 2.1, 0], [0, 0, 9.0]]), np.zeros((3, 3)), np.zeros(3, bool)
    )
    return [crystal, cluster]


def test_shortest_distances_see_images_and_leave_far_pairs_out():
    known = statistics(frames())
    assert known.shortest_distances == pytest.approx({"Al-Al": 3.0, "Al-Ni": 1.5, "Ni-Ni": 2.1})
    assert known.volume_per_atom == pytest.approx((13.5, 13.5))
    assert statistics(frames()[1:]).shortest_distances == pytest.approx({"Ni-Ni": 2.1})
    assert statistics(frames()[1:]).volume_per_atom is None


def test_coinciding_atoms_are_at_distance_zero_and_a_structure_without_cell_vectors_says_nothing():
    twice = Structure(np.array([13, 13]), np.zeros((2, 3)), np.zeros((3, 3)), np.zeros(3, bool))
    assert statistics([twice]).shortest_distances == {"Al-Al": 0.0}
    broken = Structure(np.array([13, 13]), np.eye(3)[:2], np.zeros((3, 3)), np.ones(3, bool))
    assert statistics([broken]).shortest_distances == {}


def test_the_range_names_pairs_volumes_and_what_keeps_atoms_apart():
    data = statistics(frames()).to_dict()
    said = validity(data, potential({"zbl": {"inner": 1.0, "outer": 1.4}}))
    assert said["closest atoms"] == "Al-Al 3.00 A, Al-Ni 1.50 A, Ni-Ni 2.10 A"
    assert said["closer than that"].startswith("zbl within 1.4 A keeps atoms apart")
    assert said["volumes"] == "13.5 to 13.5 A^3/atom"
    assert validity(data, potential({}))["closer than that"].startswith("nothing keeps atoms apart")
    assert validity({}, potential({})) == {}


def test_a_missing_repulsion_is_said_with_one_that_leaves_the_data_alone():
    data = statistics(frames()).to_dict()
    said = missing_repulsion(data, potential({}))
    assert "closer than 1.50 A (Al-Ni)" in said
    assert "add: {zbl: {inner: 1.01, outer: 1.45}}" in said
    assert missing_repulsion(data, potential({"zbl": {}})) is None
    assert missing_repulsion({}, potential({})) is None
