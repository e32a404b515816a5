"""Whether a potential errs where it has learnt nothing: errors over the distance to the nearest learnt structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from unnp.data.opening import open_structures
from unnp.data.readers import ReadOptions
from unnp.exported.loader import LoadedPotential
from unnp.plots import new_figure, save_figure
from unnp.workflows.surfaces.config import SurfacesConfig
from unnp.workflows.surfaces.errors import DRAWN, Pair, shown
from unnp.workflows.surfaces.maps import features_of, kernel

MOST_SERIES = 8
"""Of a figure: more are not told from each other."""
_UNLABELLED = ReadOptions(required=(), missing="allow")


def distances_to_learnt(
    config: SurfacesConfig, base: Path, model: LoadedPotential, features: np.ndarray
) -> dict[str, np.ndarray]:
    """Return, of each potential whose training data are given, the distances of the slabs (n_slabs,) to the nearest of these.

    Args:
        config: whose potentials name what they have ``learnt``.
        base: where relative paths in it begin.
        model: by whose features structures are compared.
        features: of the slabs, (n_slabs, n_features), means over atoms.

    Raises:
        DataError: training data cannot be read.
        ModelError: the model of the features does not know an element in them.
    """
    given = {name: each.learnt for name, each in config.potentials.items() if each.learnt}
    return {
        name: nearest(features, features_of(model, open_structures([base / path for path in paths], _UNLABELLED)))
        for name, paths in given.items()
    }


def nearest(features: np.ndarray, learnt: np.ndarray) -> np.ndarray:
    r"""Return the distances (n,) to the nearest of other structures, ``min_b sqrt(2 - 2 K_ab)``, between 0 and sqrt(2).

    Args:
        features: (n, n_features), means over atoms.
        learnt: those of the others (n_others, n_features).
    """
    return np.sqrt(np.clip(2 - 2 * kernel(features, learnt).max(axis=1), 0, None))


def draw_distances(
    path: Path, names: Sequence[str], found: Sequence[Pair], distances: Mapping[str, np.ndarray]
) -> None:
    """Draw absolute errors of slabs and of surface energies over these distances, with the correlation of both.

    Features of different substances are far apart, and so are their errors: each substance is a series of its own, while there
    are no more than ``MOST_SERIES``.

    Args:
        path: PNG to write.
        names: of the slabs.
        found: what is compared with the reference.
        distances: by potential, in the order of the slabs.
    """
    where = {
        (potential, name): float(each)
        for potential, own in distances.items()
        for name, each in zip(names, own, strict=True)
    }
    drawn = [pair for pair in found if pair.quantity in DRAWN and (pair.potential, pair.slab) in where]
    figure, axes = new_figure(len(DRAWN), width=4.4)
    for ax, quantity in zip(axes, DRAWN, strict=True):
        factor, unit = shown(quantity)
        for name, own in _series([pair for pair in drawn if pair.quantity == quantity]).items():
            places = [where[pair.potential, pair.slab] for pair in own]
            errors = [factor * abs(pair.error) for pair in own]
            told = len(own) > 2 and np.ptp(places) > 0 and np.ptp(errors) > 0
            label = f"{name}, r = {np.corrcoef(places, errors)[0, 1]:+.2f}" if told else name
            ax.plot(places, errors, "o", ms=3.5, mfc="none", mew=0.8, alpha=0.7, label=label)
        ax.set_title(DRAWN[quantity], fontsize="medium")
        ax.set(xlabel="distance to the nearest learnt structure", ylabel=f"|error| [{unit}]", ylim=(0, None))
        if ax.lines:
            ax.legend(frameon=False, fontsize="x-small", loc="lower center", bbox_to_anchor=(0.5, 1.08), ncols=2)
    columns = {key: [getattr(pair, key) for pair in drawn] for key in ("potential", "slab", "formula", "quantity")}
    columns["distance"] = [where[pair.potential, pair.slab] for pair in drawn]
    save_figure(figure, path, columns | {"error": [pair.error for pair in drawn]})


def _series(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """Return pairs by potential and substance, or by potential alone where these are too many."""
    by_substance: dict[str, list[Pair]] = {}
    by_potential: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_substance.setdefault(f"{pair.potential}, {pair.formula}", []).append(pair)
        by_potential.setdefault(pair.potential, []).append(pair)
    return by_substance if len(by_substance) <= MOST_SERIES else by_potential
