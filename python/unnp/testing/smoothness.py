"""Energies have continuous second derivatives when a neighbour comes into range, wherever that is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unnp.atoms.graph import Graph
from unnp.testing.checking import Measurement, at_least, at_most, check
from unnp.testing.subject import Subject

STEEP = 0.75


def jump(force: np.ndarray) -> float:
    """Return how little the changes of the slope shrink with the step: 1/2 where it is continuous, 1 where it jumps.

    Args:
        force: samples at equal distances h, an odd number. Between neighbouring samples the slope changes by an amount
            proportional to the distance of the samples where the derivative is continuous, and by the same amount
            where it jumps. Compared are samples h and 2h apart, each with the largest change nearby.
    """
    fine = _slope_changes(force)
    coarse = _slope_changes(force[::2]) / 2  # samples twice as far apart
    noise = 1e-11 * max(np.abs(force).max(), 1.0)
    ratios = [
        fine[2 * m : 2 * m + 4].max() / max(coarse[max(m - 4, 0) : m + 5].max(), noise) for m in range(len(coarse))
    ]
    return float(max(ratios))


def _slope_changes(force: np.ndarray) -> np.ndarray:
    """Return |changes of the slope| summed over two neighbouring steps, so that a jump counts fully wherever it lies."""
    changes = np.diff(np.diff(force))
    return np.abs(changes[1:] + changes[:-1])


@check
def check_smoothness(subject: Subject) -> Iterator[Measurement]:
    """Second derivatives are continuous at every distance at which anything switches off."""
    fixed = np.array([[0, 0, 0], [0.5, 0.1, 0], [0.2, 0.45, 0.1]])
    direction = np.array([0.3, 0.5, 0.81])
    radii = np.linspace(0.45, 1.42, 1601)
    for species in [(0, 1, 1, 0), (1, 1, 0, 0)]:
        graphs = [subject.graph(subject.atoms(np.vstack([fixed, r * direction]), species)) for r in radii]
        forces = np.asarray(subject.predict(Graph.batch(graphs)).forces).reshape(len(radii), 4, 3)
        yield at_least("largest force before the atom leaves", np.abs(forces[0]).max(), 1e-4)
        yield at_most("force when it has left", np.abs(forces[-1, 3]).max(), 0.0)
        for atom, axis in np.ndindex(4, 3):
            yield at_most("change of a slope over half the step, 1 for a jump,", jump(forces[:, atom, axis]), STEEP)
