"""Figures of loops: errors against what was learnt, cost of each round, coverage in features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unnp.data.opening import Concatenated
from unnp.data.store import Store
from unnp.plots import new_figure, save_figure
from unnp.workflows.learn.evaluation import descriptors, standardised
from unnp.workflows.learn.loop import Loop
from unnp.workflows.learn.rounds import Round, round_path

MOST_POINTS = 5000
"""Structures that the map of the features shows at most, drawn at random."""
UNITS = {"energy": "meV/atom", "forces": "eV/A", "stress": "GPa"}


def draw_errors(path: Path, reports: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw the mean absolute errors of all judges against the structures learnt.

    Args:
        path: PNG to write.
        reports: of loops, by name; against the share of the pool where all of them have one.
    """
    by_share = all("fraction" in row for report in reports.values() for row in report["rounds"])
    abscissa = "fraction" if by_share else "learnt"
    points = [
        (loop, judge, name.removesuffix("_mae"), row["round"], row[abscissa], value)
        for loop, report in reports.items()
        for row in report["rounds"]
        for judge, numbers in row["judges"].items()
        for name, value in numbers.items()
        if name.endswith("_mae") and row["new"]
    ]
    quantities = [name for name in UNITS if any(point[2] == name and point[5] > 0 for point in points)]
    if not quantities:
        return
    figure, axes = new_figure(len(quantities))
    for ax, quantity in zip(axes, quantities, strict=True):
        for curve in dict.fromkeys((p[0], p[1]) for p in points):
            own = [(p[4], p[5]) for p in points if (p[0], p[1]) == curve and p[2] == quantity]
            if own:
                ax.plot(*zip(*own, strict=True), marker=".", label=" ".join(curve) if len(reports) > 1 else curve[1])
        ax.set(xlabel="share of the pool" if by_share else "structures learnt", yscale="log")
        ax.set(ylabel=f"{quantity} MAE [{UNITS[quantity]}]")
        ax.legend(frameon=False, fontsize="small")
    columns = dict(zip(("loop", "judge", "quantity", "round", abscissa, "mae"), zip(*points, strict=True), strict=True))
    save_figure(figure, path, columns)


def draw_costs(path: Path, rounds: Sequence[Round]) -> None:
    """Draw the time of each step of each round."""
    steps = list(dict.fromkeys(name for one in rounds for name in one.seconds))
    minutes = {name: np.array([one.seconds.get(name, 0.0) / 60 for one in rounds]) for name in steps}
    numbers = [one.number for one in rounds]
    figure, (ax,) = new_figure()
    bottom = np.zeros(len(rounds))
    for name, height in minutes.items():
        ax.bar(numbers, height, bottom=bottom, label=name)
        bottom += height
    ax.set(xlabel="round", ylabel="time [min]")
    ax.legend(frameon=False, fontsize="small")
    save_figure(figure, path, {"round": numbers, **{f"{name} [min]": list(own) for name, own in minutes.items()}})


def draw_coverage(path: Path, loop: Loop) -> None:
    """Draw what was learnt in each round among all of the pool, in the two directions in which features differ most.

    A structure is where mean and standard deviation of its atoms' features are, according to the last model.
    """
    rounds = [one for one in loop.finished() if one.new]
    if not rounds:
        return
    at = loop.situation(rounds[-1].number + 1)
    stores = [Store(round_path(loop.folder, one.number) / "labelled") for one in rounds]
    drawn = at.random(1).permutation(len(loop.pool))[:MOST_POINTS]
    seen = Concatenated([[loop.pool[int(k)] for k in sorted(drawn)], *stores])
    owner = np.repeat([-1, *(one.number for one in rounds)], [len(drawn), *map(len, stores)])
    rows = descriptors(at.potential, seen)
    rows = standardised(rows, rows).astype(np.float64)
    _, _, directions = np.linalg.svd(rows, full_matrices=False)
    first, second = (rows @ np.pad(directions, ((0, 2), (0, 0)))[:2].T).T
    figure, (ax,) = new_figure(height=4.2)
    ax.plot(first[owner < 0], second[owner < 0], ".", color="0.8", ms=3, label="pool", rasterized=True)
    learnt = owner >= 0
    shown = ax.scatter(first[learnt], second[learnt], c=owner[learnt], s=8, cmap="viridis", label="learnt")
    figure.colorbar(shown, ax=ax, label="round")
    ax.set(xlabel="first principal component of the features", ylabel="second")
    ax.legend(frameon=False, fontsize="small")
    save_figure(figure, path, {"round": ["" if k < 0 else int(k) for k in owner], "x": first, "y": second})
