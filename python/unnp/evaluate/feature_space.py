"""Structures as points in the space of their features: in units of their spread, and on fewer axes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from unnp.atoms.graph import Graph
from unnp.atoms.outputs import Cost
from unnp.data.dataset import Dataset
from unnp.evaluate.evaluation import Limits, batches


def mean_features(features: Callable[[Graph], Tensor], dataset: Dataset, cost: Cost) -> np.ndarray:
    """Return the features of structures, means over their atoms (n_structures, n_features) float64.

    Args:
        features: of a network, (n_atoms, n_features) of a graph.
        dataset: the structures, graphs as long as the cutoff of the network.
        cost: what time and memory of the network grow with.
    """
    found = []
    for indices, batch in batches(dataset, cost, Limits()):
        values, owner = features(batch.graph).double().cpu().numpy(), batch.graph.atom_graph.cpu().numpy()
        found += [values[owner == k].mean(axis=0) for k in range(len(indices))]
    return np.array(found)


def standardised(rows: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return rows in units of the standard deviation of each column of other rows; columns that do not change are left out."""
    spread = like.std(axis=0)
    changing = spread > 1e-6 * max(1e-30, float(np.abs(like).max()))
    return (rows[:, changing] - like[:, changing].mean(axis=0)) / spread[changing]


def principal_components(points: np.ndarray, n: int) -> np.ndarray:
    """Return the coordinates (n_points, n) of points (n_points, d) along the directions in which they vary most.

    Where there are fewer directions, the last coordinates are 0.
    """
    centred = points - points.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    coordinates = np.zeros((len(points), n), dtype=centred.dtype)
    coordinates[:, : len(directions)] = centred @ directions[:n].T
    return coordinates
