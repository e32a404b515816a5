"""A table of errors by substance as a figure: each cell is split between the potentials, two triangles for two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Polygon

from unnp.plots import new_figure, save_figure
from unnp.workflows.surfaces.errors import QUANTITIES, Pair, summarise

SHOWN = ("slab", "gamma")
TITLES = {"slab": "energy of the slab", "gamma": "surface energy"}
_CORNERS = np.array([(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
_CENTRE = np.array([0.5, 0.5])
DARK = 0.55
"""Share of the largest error above which the colour is light enough for black letters."""
GAP = 1.15
"""From one cell to the next; a cell is 1."""
KEY = ""
"""The cell that says which part is whose."""


def draw_triangles(path: Path, found: Sequence[Pair]) -> None:
    """Draw root mean square errors of each formula (cells) and potential (their parts), of slabs and surface energies."""
    potentials = list(dict.fromkeys(pair.potential for pair in found))
    formulas = list(dict.fromkeys(pair.formula for pair in found))
    errors = {quantity: _values(summarise(found), quantity) for quantity in SHOWN}
    columns = ceil(sqrt(len(formulas) + 1))
    rows = ceil((len(formulas) + 1) / columns)
    figure, axes = new_figure(len(SHOWN), width=1.5 * columns + 1.0, height=1.5 * rows + 0.5)
    for ax, (quantity, values) in zip(axes, errors.items(), strict=True):
        shades = ScalarMappable(Normalize(0, max(values.values(), default=1.0)), "viridis")
        for k, formula in enumerate([*formulas, KEY]):
            place = GAP * np.array([k % columns, -(k // columns)])
            parts = {name: sector(j, len(potentials)) + place for j, name in enumerate(potentials)}
            for name, outline in parts.items():
                _fill(ax, outline, name if formula == KEY else values.get((formula, name)), shades)
            ax.text(place[0] + 0.5, place[1] + 1.01, formula, ha="center", va="bottom", fontsize="small", weight="bold")
        ax.set_title(f"{TITLES[quantity]}, RMSE [{QUANTITIES[quantity]}]", fontsize="medium", pad=12)
        ax.set_aspect("equal")
        ax.autoscale_view()
        ax.axis("off")
        figure.colorbar(shades, ax=ax, shrink=0.7)
    cells = [(quantity, *key, rmse) for quantity, values in errors.items() for key, rmse in values.items()]
    names = ("quantity", "formula", "potential", "rmse")
    save_figure(figure, path, {name: [cell[k] for cell in cells] for k, name in enumerate(names)})


def sector(k: int, n: int) -> np.ndarray:
    """Return the outline (n_points, 2) of part k of n of the unit square, between two rays from its centre.

    Rays divide the rim evenly, from the lower left corner clockwise: two parts are the triangles beside the diagonal.
    """
    ends = 4 * k / n, 4 * (k + 1) / n
    between = [corner for corner in range(5) if ends[0] < corner < ends[1]]
    rim = [_on_rim(ends[0]), *(_CORNERS[corner] for corner in between), _on_rim(ends[1])]
    if n == 1:
        return _CORNERS[:-1]
    return np.array(rim if n == 2 else [*rim, _CENTRE])


def _on_rim(place: float) -> np.ndarray:
    side = min(int(place), 3)
    corner: np.ndarray = _CORNERS[side] + (place - side) * (_CORNERS[side + 1] - _CORNERS[side])
    return corner


def _values(errors: Mapping[str, Any], quantity: str) -> dict[tuple[str, str], float]:
    return {
        (formula, potential): own[quantity]["rmse"]
        for potential, formulas in errors.items()
        for formula, own in formulas.items()
        if quantity in own and formula != "all"
    }


def _fill(ax: Axes, outline: np.ndarray, content: float | str | None, shades: ScalarMappable) -> None:
    """Colour a part by an error and write that into it; a name stands on white, and what has no error stays grey."""
    colour: Any = "0.95"
    letters, text = "black", ""
    if isinstance(content, str):
        colour, text = "white", content
    elif content is not None:
        colour, text = shades.to_rgba(np.array([content]))[0], f"{content:.2g}"
        letters = "black" if content > DARK * shades.get_clim()[1] else "white"
    edge = "0.7" if isinstance(content, str) else "white"
    ax.add_patch(Polygon(outline, facecolor=colour, edgecolor=edge, lw=0.8))
    x, y = map(float, _centroid(outline))
    ax.text(x, y, text, ha="center", va="center", fontsize=5 if len(text) > 9 else 6, color=letters)


def _centroid(outline: np.ndarray) -> np.ndarray:
    """Return the centre of mass of the area within an outline."""
    following = np.roll(outline, -1, axis=0)
    cross = outline[:, 0] * following[:, 1] - following[:, 0] * outline[:, 1]
    centre: np.ndarray = ((outline + following) * cross[:, None]).sum(axis=0) / (3 * cross.sum())
    return centre
