"""Names of groups of points in a figure, placed where they cover neither points nor each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation

DIRECTIONS = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)], dtype=float)
GAPS = (6.0, 12.0, 20.0, 30.0, 42.0, 56.0)
"""Between the points of a group and its name [pt]; the smallest that fits is taken."""
MARGIN = 3.0
"""Around marks and names that others keep free [pt]."""


def free_places(
    middles: np.ndarray, sizes: np.ndarray, points: np.ndarray, margin: float, frame: np.ndarray
) -> np.ndarray:
    """Return the centres (n, 2) of boxes beside their middles that overlap neither points nor boxes, where that is possible.

    Boxes are placed one after the other, each in the nearest place of the directions that overlaps least.

    Args:
        middles: where the groups are (n, 2).
        sizes: of the boxes (n, 2).
        points: all that is drawn (n_points, 2).
        margin: that is kept free around points and boxes; the unit of ``GAPS`` is a third of it.
        frame: lower left and upper right corner of the figure's area (2, 2).
    """
    placed: list[np.ndarray] = []
    for middle, size in zip(middles, sizes, strict=True):
        gaps = np.array(GAPS) * margin / MARGIN
        candidates = [middle + way * (size / 2 + gap) for gap, way in product(gaps, DIRECTIONS)]
        costs = []
        for centre in candidates:
            covered = int(_inside(points, centre, size / 2 + margin).sum())
            overlaps = sum(bool(_inside(one, centre, (size + sizes[j]) / 2 + margin)) for j, one in enumerate(placed))
            outside = int((centre - size / 2 < frame[0]).any() or (centre + size / 2 > frame[1]).any())
            costs.append(covered + (len(points) + 1) * (overlaps + outside))
        placed.append(candidates[int(np.argmin(costs))])
    return np.array(placed).reshape(len(middles), 2)


def name_groups(ax: Axes, groups: Mapping[str, np.ndarray], points: np.ndarray) -> None:
    """Write the name of each group beside it, with a thin line to its middle.

    Args:
        ax: whose limits and place in the figure do not change any more.
        groups: points of each (n, 2), in the units of the axes.
        points: all that is drawn (n_points, 2).
    """
    if not groups:
        return
    figure = ax.figure
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    pixels = figure.dpi / 72
    middles = ax.transData.transform([np.median(own, axis=0) for own in groups.values()])
    texts = [ax.annotate(name, (0, 0), xycoords="figure pixels", fontsize="small") for name in groups]
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in texts]
    sizes = np.array([(box.width, box.height) for box in boxes])
    frame = np.array([ax.bbox.min, ax.bbox.max])
    centres = free_places(middles, sizes, ax.transData.transform(points), MARGIN * pixels, frame)
    _move(ax, texts, middles, centres)


def _move(ax: Axes, texts: Sequence[Annotation], middles: np.ndarray, centres: np.ndarray) -> None:
    """Write texts again at other places [pixel], with lines to the middles of their groups."""
    for text, middle, centre in zip(texts, middles, centres, strict=True):
        text.remove()
        moved = ax.annotate(
            text.get_text(),
            middle,
            xytext=centre,
            xycoords="figure pixels",
            textcoords="figure pixels",
            ha="center",
            va="center",
            fontsize="small",
            arrowprops={"arrowstyle": "-", "color": "0.6", "lw": 0.6, "shrinkA": 0, "shrinkB": 2},
        )
        moved.set_in_layout(False)


def _inside(points: np.ndarray, centre: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Tell which points lie in a box, by its centre and half its sides."""
    return (np.abs(points - centre) < half).all(axis=-1)
