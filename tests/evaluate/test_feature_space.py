"""Points in the space of features: units of each axis, and the axes along which they vary most."""

import numpy as np
from unnp.evaluate.feature_space import principal_components, standardised


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
