"""All figures: each PNG stands beside a CSV with the numbers in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from unnp.files.writing import write_atomically

MAX_POINTS = 20000
MOST_IN_AXES = 10
"""groups that matplotlib's colours tell apart, and whose names find room among the points"""


def new_figure(n_axes: int = 1, width: float = 4.8, height: float = 3.6, n_rows: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure with axes side by side, row by row, each of this size [inch]; it belongs to no window."""
    figure = Figure(figsize=(width * n_axes, height * n_rows), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(n_rows, n_axes, squeeze=False).flat)
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes


def plain_log_ticks(*axes: Axis) -> None:
    """Label logarithmic axes with plain numbers, 0.2 in the place of 2 x 10^-1, also where they span less than a decade."""
    for axis in axes:
        low, high = axis.get_view_interval()
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high > 10 * low else (1, 1.5, 2, 3, 5, 7)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())


def save_figure(figure: Figure, path: str | Path, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> None:
    """Write the figure as PNG, and the columns as CSV beside it (same name, .csv); None becomes an empty cell."""
    path = Path(path)
    write_atomically(path, lambda file: figure.savefig(file, format="png"))
    write_table(path.with_suffix(".csv"), columns)


def write_table(path: Path, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> None:
    """Write columns of one length as CSV; None becomes an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    write_atomically(path, text.getvalue())


def learning_curve(records: Sequence[Mapping[str, Any]], path: str | Path, errors: Mapping[str, str]) -> None:
    """Plot loss and validation errors over the epochs.

    Args:
        records: rows of the log.
        path: PNG to write.
        errors: labels of the errors by their names in the records.
    """
    columns = ["epoch", "minutes", "learning_rate", "loss", "validation_loss", *errors]
    table = {name: [record.get(name) for record in records] for name in columns}
    drawn = {name: label for name, label in errors.items() if any(v is not None for v in table[name])}
    figure, (left, right) = new_figure(2)
    _curve(left, table, "loss", "training")
    _curve(left, table, "validation_loss", "validation")
    left.set(xlabel="epoch", ylabel="loss", yscale="log")
    for name, label in drawn.items():
        _curve(right, table, name, label)
    right.set(xlabel="epoch", ylabel="mean absolute error, validation", yscale="log")
    for ax in (left, right):
        if ax.lines:
            ax.legend(frameon=False)
    save_figure(figure, path, table)


def parity(
    quantity: str, unit: str, reference: np.ndarray, predicted: np.ndarray, groups: Sequence[str], path: str | Path
) -> None:
    """Plot predicted against reference values, coloured by group.

    Args:
        quantity: name for the title.
        unit: the unit in which both values are.
        reference: (n,).
        predicted: (n,).
        groups: (n,) names.
        path: PNG to write. Of more than 20,000 points every k-th is drawn and listed, and the title says so.
    """
    stride = -(-len(reference) // MAX_POINTS) or 1
    x, y, names = reference[::stride], predicted[::stride], np.array(groups[::stride])
    distinct = sorted(set(names.tolist()))
    many = len(distinct) > MOST_IN_AXES
    figure, (ax,) = new_figure(width=6.4 if many else 4.8, height=4.4)
    for name, color in zip(distinct, colormaps["turbo"](np.linspace(0, 1, len(distinct))), strict=True):
        own = names == name
        ax.plot(
            x[own], y[own], ".", ms=3, alpha=0.5, color=color if many else None, label=name or "all", rasterized=True
        )
    limits = [float(min(x.min(), y.min())), float(max(x.max(), y.max()))] if len(x) else [0.0, 1.0]
    ax.plot(limits, limits, color="0.6", lw=0.8, zorder=0)
    error = float(np.mean(np.abs(predicted - reference))) if len(x) else float("nan")
    shown = "" if stride == 1 else f" (1 of {stride} points shown)"
    ax.set_title(f"{quantity}: mean absolute error {error:.4g} {unit}{shown}", fontsize="medium")
    ax.set(xlabel=f"reference [{unit}]", ylabel=f"predicted [{unit}]")
    if many:
        figure.legend(frameon=False, fontsize="small", markerscale=3, loc="outside right upper")
    elif len(distinct) > 1:
        ax.legend(frameon=False, fontsize="small", markerscale=3)
    save_figure(figure, path, {"group": names.tolist(), "reference": x.tolist(), "predicted": y.tolist()})


def _curve(ax: Axes, table: Mapping[str, Sequence[Any]], name: str, label: str) -> None:
    # the axis is logarithmic: an error of exactly 0 has no place on it
    points = [(x, y) for x, y in zip(table["epoch"], table[name], strict=True) if y is not None and y > 0]
    if points:
        ax.plot(*zip(*points, strict=True), marker="." if len(points) < 30 else None, label=label)
