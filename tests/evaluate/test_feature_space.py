"""Points in the space of features: units of each axis, and the axes along which they vary most."""

import numpy as np
import pytest
import torch
from ase import Atoms
from unnp.atoms.elements import Elements
from unnp.atoms.structure import Structure
from unnp.data.dataset import Dataset
from unnp.evaluate.feature_space import mean_features, principal_components, standardised


def test_mean_features_are_means_over_the_atoms_of_each_structure() -> None:
    """With the position of the element and its square as features; structures share batches, and are kept apart."""
    structures = [
        Structure.from_atoms(Atoms(name, positions=np.arange(3 * len(Atoms(name))).reshape(-1, 3)))
        for name in ("Cu", "CuAl2", "Al3")
    ]

    def features(graph) -> torch.Tensor:
        return torch.stack([graph.species, graph.species**2 + 1], dim=1).float()

    dataset = Dataset(structures, Elements(["Cu", "Al"]), 1.0, cache_bytes=0)
    found = mean_features(features, dataset, "bonds")
    assert found == pytest.approx(np.array([[0, 1], [2 / 3, 5 / 3], [1, 2]]))


def test_axes_count_in_units_of_their_spread_and_constant_ones_do_not_count() -> None:
    like = np.array([[1.0, 10.0, 7.0], [3.0, 30.0, 7.0]])
    assert np.array_equal(standardised(np.array([[2.0, 20.0, 0.0], [5.0, 0.0, 9.0]]), like), [[0.0, 0.0], [3.0, -2.0]])


def test_principal_components_are_the_directions_of_most_variance() -> None:
    random = np.random.default_rng(0)
    coordinates = random.standard_normal((200, 3)) * np.array([5.0, 2.0, 0.1])
    turned = coordinates @ np.linalg.qr(random.standard_normal((3, 3)))[0]
    found = principal_components(turned, 2)
    centred = coordinates - coordinates.mean(axis=0)
    for k in range(2):
        assert abs(np.corrcoef(found[:, k], centred[:, k])[0, 1]) > 0.99


def test_where_there_are_fewer_directions_the_last_coordinates_are_zero() -> None:
    points = np.random.default_rng(0).standard_normal((20, 3))
    found = principal_components(points, 5)
    centred = points - points.mean(axis=0)
    assert np.allclose(found[:, 3:], 0)
    assert np.allclose(found @ found.T, centred @ centred.T)
    assert np.array_equal(principal_components(np.zeros((6, 0)), 2), np.zeros((6, 2)))
