"""Tables and figures of a benchmark."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unnp.files.kept import Result
from unnp.files.writing import write_atomically
from unnp.plots import new_figure, plain_log_ticks, save_figure
from unnp.train.log import read_log
from unnp.workflows.benchmark.columns import COLUMNS, shown
from unnp.workflows.benchmark.config import BenchmarkConfig

Points = list[tuple[float, float]]
_FURTHER = {
    "n_parameters": ("parameters", ""),
    "minutes": ("training", "min"),
    "epochs": ("epochs", ""),
    "us_per_atom_step": ("LAMMPS", "us/atom/step"),
    "mb_per_atom": ("memory", "MB/atom"),
}


def write_report(folder: Path, config: BenchmarkConfig, results: Mapping[str, Sequence[Result]]) -> None:
    """Write all tables and figures of what is finished."""
    write_atomically(folder / "results.json", json.dumps(dict(results), indent=1) + "\n")
    _draw_data(folder, results)
    results = {name: [r for r in own if r.get("fraction", 1.0) == 1] for name, own in results.items()}
    header, rows = table(config, results)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    write_atomically(folder / "results.csv", text.getvalue())
    lines = [f"| {' | '.join(row)} |" for row in [header, ["---", *["---:"] * (len(header) - 1)], *rows]]
    said = [f"* {note}" for note in notes(results)]
    write_atomically(folder / "table.md", "\n".join([*lines, *(["", *said] if said else [])]) + "\n")
    _draw_cost(folder, results)
    _draw_learning(folder, config, results)


def notes(results: Mapping[str, Sequence[Result]]) -> list[str]:
    """Return what could not be measured, and why."""
    return [f"{name}: {r['note']}" for name, own in results.items() for r in own if "note" in r]


def table(config: BenchmarkConfig, results: Mapping[str, Sequence[Result]]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: mean absolute errors with their spread over seeds, published ones in brackets, and costs."""
    found = {key for own in results.values() for result in own for key in result["errors"]}
    published = {key for model in config.models.values() for key in model.published}
    errors = {key: COLUMNS[key] for key in shown(found | published)}
    titles = {**{key: (f"{title} MAE", unit) for key, (title, unit) in errors.items()}, **_FURTHER}
    header = ["", *(f"{title} [{unit}]" if unit else title for title, unit in titles.values())]
    rows = [
        [name, *(_cell(key, own, config.models[name].published) for key in titles)]
        for name, own in results.items()
        if own
    ]
    return header, rows


def values(key: str, results: Sequence[Result]) -> list[float]:
    """Return the numbers of a column, one for each seed that has it."""
    found = [r["errors"].get(key) if key in COLUMNS else r.get(key) for r in results]
    return [value for value in found if value is not None]


def _cell(key: str, results: Sequence[Result], published: Mapping[str, float]) -> str:
    found = values(key, results)
    text = ""
    if found:
        text = f"{np.mean(found):.0f}" if key == "n_parameters" else f"{np.mean(found):.3g}"
        text += f" ± {float(f'{_spread(found):.2g}'):g}" if len(found) > 1 and key != "n_parameters" else ""
    return f"{text} ({published[key]:g})".strip() if key in published else text


def _spread(found: Sequence[float]) -> float | None:
    """Return the standard deviation over seeds, with n - 1 as there are few; None for one seed."""
    return float(np.std(found, ddof=1)) if len(found) > 1 else None


def _draw_cost(folder: Path, results: Mapping[str, Sequence[Result]]) -> None:
    """Draw force errors over the cost in LAMMPS, the mean of each contestant's seeds with their standard deviation."""
    points: dict[str, Points] = {}
    for name, own in results.items():
        costs, errors = values("us_per_atom_step", own), values("forces", own)
        if costs and errors:
            points[name] = [(float(np.mean(costs)), error) for error in errors]
    if not points:
        return
    figure, (ax,) = new_figure(width=6.0, height=4.2)
    for (name, pairs), style in zip(points.items(), _styles(), strict=False):
        errors = [error for _, error in pairs]
        ax.errorbar(
            pairs[0][0], float(np.mean(errors)), yerr=_spread(errors), ms=5, capsize=2, ls="", label=name, **style
        )
    ax.set(xlabel="cost in LAMMPS [us/atom/step]", ylabel="force error, components [eV/A]", xscale="log", yscale="log")
    _save(figure, ax, folder / "accuracy-cost.png", "us_per_atom_step", points)


def _draw_data(folder: Path, results: Mapping[str, Sequence[Result]]) -> None:
    """Draw force errors over the number of training structures, means of the seeds with their standard deviation."""
    points: dict[str, Points] = {}
    for name, own in results.items():
        pairs = sorted(
            (r["structures"], r["errors"]["forces"]) for r in own if "fraction" in r and "forces" in r["errors"]
        )
        if len({r.get("fraction") for r in own}) > 1:
            points[name] = pairs
    if not points:
        return
    figure, (ax,) = new_figure(width=6.0, height=4.2)
    for (name, pairs), style in zip(points.items(), _styles(), strict=False):
        sizes = sorted({n for n, _ in pairs})
        found = [[error for m, error in pairs if m == n] for n in sizes]
        means, spreads = [np.mean(e) for e in found], [_spread(e) or 0.0 for e in found]
        ax.errorbar(sizes, means, yerr=spreads, ms=4, capsize=2, label=name, **style)
    ax.set(xlabel="training structures", ylabel="force error, components [eV/A]", xscale="log", yscale="log")
    _save(figure, ax, folder / "data-curves.png", "structures", points)


def _draw_learning(folder: Path, config: BenchmarkConfig, results: Mapping[str, Sequence[Result]]) -> None:
    """Draw the force error of the validation structures over training time, first seeds only."""
    curves: dict[str, Points] = {}
    for name, own in results.items():
        if not own or config.models[name].potential is None:
            continue
        log = folder / name / f"seed-{config.seeds_of(name)[0]}/run/log.jsonl"
        records = [r for r in read_log(log) if r.get("forces_mae", 0) > 0]
        if records:
            curves[name] = [(r["minutes"], r["forces_mae"]) for r in records]
    if not curves:
        return
    figure, (ax,) = new_figure(width=6.0, height=4.2)
    for (name, pairs), style in zip(curves.items(), _styles(), strict=False):
        ax.plot(*zip(*pairs, strict=True), ms=4, label=name, markevery=max(1, len(pairs) // 20), **style)
    ax.set(xlabel="training time [min]", ylabel="force error, validation [eV/A]", yscale="log")
    _save(figure, ax, folder / "learning-curves.png", "minutes", curves)


def _styles() -> Iterator[dict[str, Any]]:
    """Yield a color and a marker for each contestant, no two alike among 30."""
    for marker in "osv":
        for k in range(10):
            yield {"color": f"C{k}", "marker": marker}


def _save(figure: Figure, ax: Axes, path: Path, abscissa: str, points: Mapping[str, Points]) -> None:
    """Write a figure of force errors with its legend, and its points beside it."""
    plain_log_ticks(*(axis for axis in (ax.xaxis, ax.yaxis) if axis.get_scale() == "log"))
    ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    rows = [(name, *pair) for name, pairs in points.items() for pair in pairs]
    columns = dict(zip(("model", abscissa, "force_mae"), zip(*rows, strict=True), strict=True))
    save_figure(figure, path, columns)
