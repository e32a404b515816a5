"""Energies have continuous second derivatives when a neighbour comes into range, wherever that is."""

import numpy as np
import pytest
from unnp.atoms.graph import Graph

STEEP = 0.75


def jump(force: np.ndarray) -> float:
    """Return how little the changes of the slope shrink with the step: 1/2 where it is continuous, 1 where it jumps.

    Args:
        force: samples at equal distances h, an odd number. Between neighbouring samples the slope changes by an amount
            proportional to the distance of the samples where the derivative is continuous, and by the same amount
            where it jumps. Compared are samples h and 2h apart, each with the largest change nearby.
    """
    fine = slope_changes(force)
    coarse = slope_changes(force[::2]) / 2  # samples twice as far apart
    noise = 1e-11 * max(np.abs(force).max(), 1.0)
    ratios = [
        fine[2 * m : 2 * m + 4].max() / max(coarse[max(m - 4, 0) : m + 5].max(), noise) for m in range(len(coarse))
    ]
    return float(max(ratios))


def slope_changes(force: np.ndarray) -> np.ndarray:
    """Return |changes of the slope| summed over two neighbouring steps, so that a jump counts fully wherever it lies."""
    changes = np.diff(np.diff(force))
    return np.abs(changes[1:] + changes[:-1])


@pytest.mark.parametrize(("power", "smooth"), [(1, False), (2, True), (3, True)])
def test_the_measure_tells_kinks_from_smooth_functions(power, smooth):
    """A force (1 - r)^p has a continuous slope from p = 2 on."""
    for start in np.linspace(0.6123, 0.6153, 17):
        r = np.linspace(start, 1.2, 1001)
        assert (jump(0.3 * np.clip(1 - r, 0, None) ** power + np.sin(9 * r)) < STEEP) == smooth


@pytest.mark.parametrize("species", [(0, 1, 1, 0), (1, 1, 0, 0)])
def test_second_derivatives_are_continuous(model, species):
    """An atom moves away from three others: every distance at which anything switches off is crossed."""
    fixed = [[0, 0, 0], [0.5, 0.1, 0], [0.2, 0.45, 0.1]]
    direction = np.array([0.3, 0.5, 0.81])
    radii = np.linspace(0.45, 1.42, 1601)
    graphs = [model.graph(model.atoms([*fixed, r * direction], species)) for r in radii]
    forces = model.predict(Graph.batch(graphs)).forces.view(len(radii), 4, 3).numpy()
    assert np.abs(forces[0]).max() > 1e-4
    assert np.abs(forces[-1, 3]).max() == 0
    for atom, axis in np.ndindex(4, 3):
        assert jump(forces[:, atom, axis]) < STEEP, (atom, axis)
