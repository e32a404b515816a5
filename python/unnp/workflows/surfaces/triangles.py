"""A table of errors by substance as a figure: each cell is split between the potentials, two triangles for two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, sqrt
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.patches import Polygon

from unnp.plots import new_figure, plain_log_ticks, save_figure
from unnp.workflows.surfaces.errors import ALL, DRAWN, QUANTITIES, Pair, shown, summarise

_CORNERS = np.array([(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
_CENTRE = np.array([0.5, 0.5])
DARK = 0.55
"""Share of the scale of colours above which they are light enough for black letters."""
GAP = 1.15
"""From one cell to the next; a cell is 1."""
SIDE = 1.7
"""Of a cell with the gap [inch]."""
LETTERS = 7
"""Size of the smallest letters [pt]."""
KEY = ""
"""The cell that says which part is whose."""
LONGEST_LINE, LONGEST_WORD = 9, 12
"""Characters up to which the name of a potential stays on one line, and up to which a word of it does."""
SPAN = 10.0
"""Where the largest error is more than so many times the smallest, colours follow the logarithm,"""
DECADES = 1e-4
"""down to this share of the largest."""


def draw_triangles(path: Path, found: Sequence[Pair]) -> None:
    """Draw root mean square errors of each formula (cells) and potential (their parts), of slabs and surface energies.

    Where there are several formulas, a last cell has the errors of all slabs together.
    """
    potentials = list(dict.fromkeys(pair.potential for pair in found))
    formulas = list(dict.fromkeys(pair.formula for pair in found))
    cells = [*formulas, *([ALL] if len(formulas) > 1 else []), KEY]
    errors = {quantity: _values(summarise(found), quantity) for quantity in DRAWN}
    columns = ceil(sqrt(len(cells)))
    rows = ceil(len(cells) / columns)
    figure, axes = new_figure(len(DRAWN), width=SIDE * columns + 1.0, height=SIDE * rows + 0.5)
    for ax, (quantity, values) in zip(axes, errors.items(), strict=True):
        factor, unit = shown(quantity)
        scaled = {key: factor * value for key, value in values.items()}
        shades = ScalarMappable(_scale(list(scaled.values())), "viridis")
        for k, formula in enumerate(cells):
            place = GAP * np.array([k % columns, -(k // columns)])
            parts = {name: sector(j, len(potentials)) + place for j, name in enumerate(potentials)}
            for name, outline in parts.items():
                _fill(ax, outline, name if formula == KEY else scaled.get((formula, name)), shades)
            ax.text(place[0] + 0.5, place[1] + 1.01, formula, ha="center", va="bottom", fontsize="small", weight="bold")
        ax.set_title(f"{DRAWN[quantity]}, RMSE [{unit}]", fontsize="medium", pad=12)
        ax.set_aspect("equal")
        ax.autoscale_view()
        ax.axis("off")
        bar = figure.colorbar(shades, ax=ax, shrink=0.7)
        if isinstance(shades.norm, LogNorm):
            plain_log_ticks(bar.ax.yaxis)
    table = [
        (quantity, *key, rmse, QUANTITIES[quantity])
        for quantity, values in errors.items()
        for key, rmse in values.items()
    ]
    names = ("quantity", "formula", "potential", "rmse", "unit")
    save_figure(figure, path, {name: [line[k] for line in table] for k, name in enumerate(names)})


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


def _scale(values: Sequence[float]) -> Normalize:
    """Return how errors become colours; of those on a logarithmic scale, zero is as the smallest colour."""
    largest = max(values, default=1.0)
    smallest = min((value for value in values if value > 0), default=largest)
    if largest > SPAN * smallest:
        return LogNorm(max(smallest, DECADES * largest), largest, clip=True)
    return Normalize(0, largest)


def _values(errors: Mapping[str, Any], quantity: str) -> dict[tuple[str, str], float]:
    return {
        (formula, potential): own[quantity]["rmse"]
        for potential, formulas in errors.items()
        for formula, own in formulas.items()
        if quantity in own
    }


def _fill(ax: Axes, outline: np.ndarray, content: float | str | None, shades: ScalarMappable) -> None:
    """Colour a part by an error and write that into it; a name stands on white, and what has no error stays grey."""
    colour: Any = "0.95"
    letters, text = "black", ""
    if isinstance(content, str):
        colour, text = "white", "\n".join(lines_of(content))
    elif content is not None:
        colour, text = shades.to_rgba(np.array([content]))[0], f"{content:.0f}" if content >= 100 else f"{content:.2g}"
        letters = "black" if np.asarray(shades.norm(np.array([content]))).item() > DARK else "white"
    edge = "0.7" if isinstance(content, str) else "white"
    ax.add_patch(Polygon(outline, facecolor=colour, edgecolor=edge, lw=0.8))
    x, y = middle_of(outline)
    ax.text(x, y, text, ha="center", va="center", fontsize=LETTERS, color=letters, linespacing=1.0)


def lines_of(name: str) -> list[str]:
    """Return the lines in which a name is written: broken behind hyphens, and a word only where it is very long."""
    return [line for word in wrap(name, LONGEST_LINE, break_long_words=False) for line in wrap(word, LONGEST_WORD)]


def middle_of(outline: np.ndarray) -> tuple[float, float]:
    """Return where a text stands in a convex outline: at the height of its centre of mass, midway between its sides."""
    following = np.roll(outline, -1, axis=0)
    cross = outline[:, 0] * following[:, 1] - following[:, 0] * outline[:, 1]
    y = float(((outline[:, 1] + following[:, 1]) * cross).sum() / (3 * cross.sum()))
    crossed = ((outline[:, 1] - y) * (following[:, 1] - y) <= 0) & (outline[:, 1] != following[:, 1])
    one, other = outline[crossed], following[crossed]
    x = one[:, 0] + (y - one[:, 1]) / (other[:, 1] - one[:, 1]) * (other[:, 0] - one[:, 0])
    return float(x.min() + x.max()) / 2, y
