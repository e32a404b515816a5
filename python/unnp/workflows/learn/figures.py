"""Figures of loops: errors against what was learnt, cost of each round, coverage in features."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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


MEASURES = {"mae": "-", "rmse": "--"}
"""mean absolute and root mean square errors, and their lines"""

Reports = Mapping[str, Sequence[Mapping[str, Any]]]
"""reports of loops by what they are; several of a name differ in their seed alone"""


class Point(NamedTuple):
    """An error of a round: name of the loops, index of the loop among those of its name, judge, quantity, round, x."""

    name: str
    loop: int
    judge: str
    quantity: str
    measure: str
    round: int
    x: float
    error: float


def draw_errors(path: Path, report: Mapping[str, Any]) -> None:
    """Draw the mean absolute errors of all judges of a loop against the share of the pool, or the structures learnt.

    Args:
        path: PNG to write.
        report: of the loop.
    """
    x = _x([report])
    points = [point for point in _points({"": [report]}, x) if point.measure == "mae"]
    curves = {judge: [p for p in points if p.judge == judge] for judge in _distinct(points, "judge")}
    _draw(path, points, curves, (x, "MAE"))


def draw_comparison(path: Path, reports: Reports, judges: Collection[str]) -> None:
    """Draw the mean absolute (lines) and root mean square errors (broken lines) of loops beside each other.

    Args:
        path: PNG to write.
        reports: of several loops with one name the mean is drawn, with the standard deviation as bars.
        judges: whose errors are drawn.
    """
    x = _x([report for loops in reports.values() for report in loops])
    points = [point for point in _points(reports, x) if point.judge in judges]
    several = len(_distinct(points, "judge")) > 1
    curves = {
        f"{name}, {judge}" if several else name: [p for p in points if (p.name, p.judge) == (name, judge)]
        for name in reports
        for judge in _distinct(points, "judge")
    }
    _draw(path, points, curves, (x, "error"), "lines: mean absolute, broken: RMS")


def _x(reports: Sequence[Mapping[str, Any]]) -> str:
    """Return what errors are drawn over: the share of the pool where all loops have one."""
    return "fraction" if all("fraction" in row for report in reports for row in report["rounds"]) else "learnt"


def _points(reports: Reports, x: str) -> list[Point]:
    return [
        Point(name, loop, judge, quantity, measure, row["round"], row[x], error)
        for name, loops in reports.items()
        for loop, report in enumerate(loops)
        for row in report["rounds"]
        for judge, numbers in row["judges"].items()
        for quantity in UNITS
        for measure in MEASURES
        if row["new"] and (error := numbers.get(f"{quantity}_{measure}")) is not None
    ]


def _distinct(points: Sequence[Point], field: str) -> list[str]:
    return list(dict.fromkeys(getattr(point, field) for point in points))


def _draw(
    path: Path, points: Sequence[Point], curves: Mapping[str, Sequence[Point]], words: tuple[str, str], note: str = ""
) -> None:
    quantities = [name for name in UNITS if any(point.quantity == name and point.error > 0 for point in points)]
    if not quantities:
        return
    over, what = words
    factor, label = (100, "share of the pool [%]") if over == "fraction" else (1, "structures learnt")
    figure, axes = new_figure(len(quantities))
    for ax, quantity in zip(axes, quantities, strict=True):
        for k, (name, curve) in enumerate(curves.items()):
            for measure, line in MEASURES.items():
                own = [p for p in curve if (p.quantity, p.measure) == (quantity, measure)]
                if own:
                    x, mean, spread = _curve(own)
                    bars = ax.errorbar(factor * x, mean, yerr=spread, fmt=f".{line}", color=f"C{k}", capsize=2)
                    bars.set_label(name if measure == "mae" else "")
        ax.set(xlabel=label, ylabel=f"{quantity} {what} [{UNITS[quantity]}]", yscale="log")
        plain_log_ticks(ax.yaxis)
    figure.legend(
        *axes[0].get_legend_handles_labels(),
        loc="outside upper center",
        ncols=len(curves),
        frameon=False,
        fontsize="small",
        title=note or None,
        title_fontsize="small",
    )
    names = (*Point._fields[:6], over, "error")
    save_figure(figure, path, dict(zip(names, zip(*points, strict=True), strict=True)))


def _curve(points: Sequence[Point]) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return x, mean and, of more than one loop, standard deviation of each round that all loops have.

    Loops of one round, as of frames that something else has chosen, are points of a curve: those at the same x belong together.
    """
    loops = {point.loop for point in points}
    of_one_round = len(points) == len(loops)
    together: dict[float, list[Point]] = {}
    for point in points:
        together.setdefault(point.x if of_one_round else point.round, []).append(point)
    shared = [own for key, own in sorted(together.items()) if of_one_round or len(own) == len(loops)]
    x, mean = (np.array([np.mean([getattr(p, name) for p in own]) for own in shared]) for name in ("x", "error"))
    spread = [np.std([p.error for p in own], ddof=1) if len(own) > 1 else 0.0 for own in shared]
    return x, mean, np.array(spread) if len(loops) > 1 else None


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
    drawn = at.random("coverage").permutation(len(loop.pool))[:MOST_POINTS]
    seen = Concatenated([[loop.pool[int(k)] for k in sorted(drawn)], *stores])
    owner = np.repeat([-1, *(one.number for one in rounds)], [len(drawn), *map(len, stores)])
    rows = descriptors_at(at, seen)
    first, second = principal_components(standardised(rows, rows).astype(np.float64), 2).T
    figure, (ax,) = new_figure(height=4.2)
    if len(drawn):
        ax.plot(first[owner < 0], second[owner < 0], ".", color="0.8", ms=3, label="pool", rasterized=True)
    learnt = owner >= 0
    shown = ax.scatter(first[learnt], second[learnt], c=owner[learnt], s=8, cmap="viridis", label="learnt", zorder=3)
    figure.colorbar(shown, ax=ax, label="round", ticks=MaxNLocator(integer=True))
    ax.set(xlabel="first principal component of the features", ylabel="second")
    ax.legend(frameon=False, fontsize="small")
    save_figure(figure, path, {"round": ["" if k < 0 else int(k) for k in owner], "x": first, "y": second})
