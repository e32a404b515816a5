"""Figures of loops: errors against what was learnt, cost of each round, coverage in features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.ticker import MaxNLocator

from unnp.data.opening import Concatenated
from unnp.data.store import Store
from unnp.evaluate.feature_space import principal_components, standardised
from unnp.plots import new_figure, plain_log_ticks, save_figure
from unnp.workflows.learn.loop import Loop
from unnp.workflows.learn.rounds import Round, round_path
from unnp.workflows.learn.spreading import descriptors_at

MOST_POINTS = 5000
"""Structures that the map of the features shows at most, drawn at random."""
UNITS = {"energy": "meV/atom", "forces": "eV/A", "stress": "GPa"}


def draw_errors(path: Path, reports: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Draw the mean absolute errors of all judges against the structures learnt.

    Args:
        path: PNG to write.
        reports: of loops by what they are; of several that differ in their seed alone the mean is drawn, with the standard
            deviation as bars. Against the share of the pool where all of them have one.
    """
    by_share = all("fraction" in row for loops in reports.values() for report in loops for row in report["rounds"])
    points = [
        Point(
            name, loop, judge, error.removesuffix("_mae"), row["round"], row["fraction" if by_share else "learnt"], mae
        )
        for name, loops in reports.items()
        for loop, report in enumerate(loops)
        for row in report["rounds"]
        for judge, numbers in row["judges"].items()
        for error, mae in numbers.items()
        if error.endswith("_mae") and row["new"]
    ]
    quantities = [name for name in UNITS if any(point.quantity == name and point.mae > 0 for point in points)]
    if not quantities:
        return
    figure, axes = new_figure(len(quantities))
    for ax, quantity in zip(axes, quantities, strict=True):
        for name, judge in dict.fromkeys((point.name, point.judge) for point in points):
            own = [p for p in points if (p.name, p.judge, p.quantity) == (name, judge, quantity)]
            if own:
                x, mean, spread = _curve(own)
                label = f"{name} {judge}" if len(reports) > 1 else judge
                x = 100 * x if by_share else x
                ax.errorbar(x, mean, yerr=spread, marker=".", capsize=2, label=label)
        ax.set(xlabel="share of the pool [%]" if by_share else "structures learnt", yscale="log")
        ax.set(ylabel=f"{quantity} MAE [{UNITS[quantity]}]")
        plain_log_ticks(ax.yaxis)
        ax.legend(frameon=False, fontsize="small")
    names = (*Point._fields[:5], "fraction" if by_share else "learnt", "mae")
    save_figure(figure, path, dict(zip(names, zip(*points, strict=True), strict=True)))


class Point(NamedTuple):
    """An error of a round: of which loops, the how manieth of them, by whom, of what, in which round, at what x."""

    name: str
    loop: int
    judge: str
    quantity: str
    round: int
    x: float
    mae: float


def _curve(points: Sequence[Point]) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return x, mean and, of more than one loop, standard deviation of each round that all loops have."""
    loops = {point.loop for point in points}
    by_round: dict[int, list[Point]] = {}
    for point in points:
        by_round.setdefault(point.round, []).append(point)
    shared = [own for own in by_round.values() if len(own) == len(loops)]
    x, mean = (np.array([np.mean([getattr(p, name) for p in own]) for own in shared]) for name in ("x", "mae"))
    spread = [np.std([point.mae for point in own], ddof=1) for own in shared] if len(loops) > 1 else None
    return x, mean, None if spread is None else np.array(spread)


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
    rows = descriptors_at(at, seen)
    first, second = principal_components(standardised(rows, rows).astype(np.float64), 2).T
    figure, (ax,) = new_figure(height=4.2)
    ax.plot(first[owner < 0], second[owner < 0], ".", color="0.8", ms=3, label="pool", rasterized=True)
    learnt = owner >= 0
    shown = ax.scatter(first[learnt], second[learnt], c=owner[learnt], s=8, cmap="viridis", label="learnt", zorder=3)
    figure.colorbar(shown, ax=ax, label="round", ticks=MaxNLocator(integer=True))
    ax.set(xlabel="first principal component of the features", ylabel="second")
    ax.legend(frameon=False, fontsize="small")
    save_figure(figure, path, {"round": ["" if k < 0 else int(k) for k in owner], "x": first, "y": second})
