"""Structures as points in the space of their features: in units of their spread, and on fewer axes."""

from __future__ import annotations

import numpy as np


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
