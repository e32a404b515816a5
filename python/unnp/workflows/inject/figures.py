"""Figures of an injection: gains, choices of the classifiers, maps of the features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes

from unnp.plots import new_figure, save_figure
from unnp.workflows.inject.analysis import Row, Spread
from unnp.workflows.inject.comparison import GAIN_IN_ERRORS, PERCENT
from unnp.workflows.inject.features import map_of
from unnp.workflows.inject.maps import AXES
from unnp.workflows.inject.methods import CONFIDENCES
from unnp.workflows.inject.seeds import Seed

MOST_POINTS = 1000
"""Structures of the pool on a map, at most."""
COLOURED = (0.02, 0.9)
"""Quantiles of the energies between which colours change: a few crystals of the pool are far above all others."""


def draw_gains(path: Path, rows: Sequence[Row], quantities: Sequence[str]) -> None:
    """Draw the gain of each method and architecture in each of these quantities, with its standard error over the seeds."""
    quantities = [name for name in quantities if any(name in row.gain for row in rows)]
    if not quantities:
        return
    figure, axes = new_figure(len(quantities), width=1.5 + 0.3 * len(rows))
    columns: dict[str, list[Any]] = {key: [] for key in ("quantity", "architecture", "method", "gain", "gain_error")}
    for ax, quantity in zip(axes, quantities, strict=True):
        shown = [row for row in rows if quantity in row.gain]
        _draw_bars(ax, shown, quantity)
        ax.set_title(quantity, fontsize="medium")
        for row in shown:
            gain = row.gain[quantity]
            error = None if gain.error is None else PERCENT * gain.error
            values = (quantity, row.architecture, row.method, PERCENT * gain.mean, error)
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
    axes[0].set(ylabel=GAIN_IN_ERRORS)
    axes[-1].legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    save_figure(figure, path, columns)


def _draw_bars(ax: Axes, rows: Sequence[Row], quantity: str) -> None:
    architectures = list(dict.fromkeys(row.architecture for row in rows))
    methods = list(dict.fromkeys(row.method for row in rows))
    width = 0.8 / len(methods)
    for k, method in enumerate(methods):
        own = [row for row in rows if row.method == method]
        x = [architectures.index(row.architecture) + (k + 0.5) * width - 0.4 for row in own]
        bars = [PERCENT * (row.gain[quantity].error or 0.0) for row in own]
        ax.bar(x, [PERCENT * row.gain[quantity].mean for row in own], 0.9 * width, yerr=bars, capsize=2, label=method)
    ax.axhline(0, color="0.3", lw=0.8)
    ax.set_xticks(range(len(architectures)), architectures)


def draw_choices(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Draw which potentials the classifiers chose for the pool, and where hidden labels tell them, their errors by confidence.

    Shares are means over the seeds; bars of the errors are standard errors of their means.
    """
    pool = [row for row in rows if row["part"] == "pool"]
    if not pool:
        return
    series = list(dict.fromkeys((row["architecture"], row["among"]) for row in pool))
    names = [*pool[0]["chosen"], "none"]
    known = any("energy_mae" in row for row in rows if row["part"] in CONFIDENCES)
    figure, (left, *rest) = new_figure(2 if known else 1)
    columns: dict[str, list[Any]] = {"architecture": [], "among": [], "part": [], "value": [], "error": []}
    for k, (architecture, among) in enumerate(series):
        label = architecture if among == "all" else f"{architecture} ({among})"
        own = [row for row in pool if (row["architecture"], row["among"]) == (architecture, among)]
        shares = [
            np.mean([{**row["chosen"], "none": row["none"]}[n] / row["structures"] for row in own]) for n in names
        ]
        width = 0.8 / len(series)
        x = np.arange(len(names)) + (k + 0.5) * width - 0.4
        left.bar(x, shares, 0.9 * width, label=label)
        found = [
            [
                row["energy_mae"]
                for row in rows
                if (row["architecture"], row["among"], row["part"]) == (architecture, among, part)
                and "energy_mae" in row
            ]
            for part in CONFIDENCES
        ]
        errors = {part: Spread.of(own) for part, own in zip(CONFIDENCES, found, strict=True) if own}
        for right in rest if errors else []:
            bars = [spread.error or 0.0 for spread in errors.values()]
            means = [spread.mean for spread in errors.values()]
            right.errorbar(list(errors), means, yerr=bars, marker="o", capsize=2, label=label)
        columns["among"] += [among] * (len(names) + len(CONFIDENCES))
        columns["architecture"] += [architecture] * (len(names) + len(CONFIDENCES))
        columns["part"] += [*names, *CONFIDENCES]
        of_labels = [errors.get(part) for part in CONFIDENCES]
        columns["value"] += [*map(float, shares), *(None if each is None else each.mean for each in of_labels)]
        columns["error"] += [*[None] * len(names), *(None if each is None else each.error for each in of_labels)]
    left.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize="small")
    left.set(ylabel="share of the pool")
    for right in rest:
        right.set(xlabel="confidence", ylabel="error of the chosen energies [meV/atom]")
    for ax in (left, *rest):
        if ax.get_legend_handles_labels()[1]:
            ax.legend(frameon=False, fontsize="small")
    save_figure(figure, path, columns)


def draw_map(path: Path, seed: Seed, architecture: str, runs: dict[str, tuple[Path, bool]]) -> None:
    """Draw pool and labelled structures on maps of the features of several networks.

    Args:
        path: PNG to write.
        seed: whose pool.
        architecture: for the title.
        runs: run folder of each network by what it is called, and whether with its own weights or random ones.
    """
    positions = [*seed.division.split.train, *seed.material.pool[:MOST_POINTS]]
    structures = seed.material.at(positions)
    per_atom = [None if s.energy is None else s.energy / len(s) for s in structures]
    energies = np.array([np.nan if e is None else e for e in per_atom])
    n_labelled = len(seed.division.split.train)
    low, high = np.nanquantile(energies, COLOURED)
    shades = colormaps["viridis"].with_extremes(bad="0.75")  # structures without a hidden energy
    figure, axes = new_figure(len(runs), width=4.0)
    columns: dict[str, list[Any]] = {"part": ["labelled"] * n_labelled + ["pool"] * (len(structures) - n_labelled)}
    columns["energy"] = per_atom
    for ax, (name, (run, trained)) in zip(axes, runs.items(), strict=True):
        x, y = map_of(run, structures, seed.config.map, trained=trained).T
        shown = ax.scatter(
            x[n_labelled:],
            y[n_labelled:],
            c=energies[n_labelled:],
            cmap=shades,
            s=4,
            vmin=low,
            vmax=high,
            plotnonfinite=True,
        )
        ax.scatter(
            x[:n_labelled],
            y[:n_labelled],
            c=energies[:n_labelled],
            cmap=shades,
            s=14,
            vmin=low,
            vmax=high,
            edgecolors="red",
            linewidths=0.4,
        )
        ax.set_title(f"{architecture}, {name}", fontsize="medium")
        ax.set(xlabel=AXES[seed.config.map][0], ylabel=AXES[seed.config.map][1])
        columns[f"{name} x"], columns[f"{name} y"] = x.tolist(), y.tolist()
    figure.colorbar(shown, ax=axes[-1], label="energy [eV/atom]")
    save_figure(figure, path, columns)
