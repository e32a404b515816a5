"""From many features to two coordinates: principal components, or t-SNE."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Literal

import numpy as np

from unnp.errors import ConfigError
from unnp.evaluate.feature_space import principal_components

MapKind = Literal["pca", "tsne"]
AXES: dict[MapKind, tuple[str, str]] = {
    "pca": ("first principal component", "second"),
    "tsne": ("first t-SNE coordinate", "second"),
}
"""What the coordinates are called."""
PERPLEXITY = 30.0


def check_map(kind: MapKind) -> None:
    """Raise ConfigError where the package that draws such a map is missing."""
    if kind == "tsne" and find_spec("sklearn") is None:
        raise ConfigError("map: tsne needs scikit-learn: pip install 'unnp[tsne]', or take `map: pca`.")


def coordinates(kind: MapKind, features: np.ndarray) -> np.ndarray:
    """Return two coordinates of each structure, (n_structures, 2).

    Args:
        kind: how.
        features: (n_structures, n_features), each in units of its spread.
    """
    return _MAPS[kind](features)


def _pca(features: np.ndarray) -> np.ndarray:
    return principal_components(features, 2)


def _tsne(features: np.ndarray) -> np.ndarray:
    """L. van der Maaten, G. Hinton, J. Mach. Learn. Res. 9, 2579 (2008): neighbours stay neighbours, distances do not count."""
    n = len(features)
    if n < 4 or not features.shape[1]:
        return _pca(features)  # no neighbours to keep
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (n - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init=_start(features), random_state=0, n_jobs=1)
    return np.asarray(tsne.fit_transform(features), dtype=np.float64)


def _start(features: np.ndarray) -> np.ndarray:
    """Return the principal components, so small that they do not hold the points where they are, as scikit-learn advises."""
    points = _pca(features)
    return (1e-4 * points / max(points[:, 0].std(), 1e-30)).astype(np.float32)


_MAPS: dict[MapKind, Callable[[np.ndarray], np.ndarray]] = {"pca": _pca, "tsne": _tsne}
