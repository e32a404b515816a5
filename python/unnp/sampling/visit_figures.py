"""Figures of what was visited: the map of (H, s), and the order parameter over the steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.colors import LogNorm

from unnp.plots import MAX_POINTS, new_figure, save_figure
from unnp.sampling.analysis import Analysis
from unnp.sampling.figure_labels import COLOURS, labels, phase_line

MAP_BINS = 80
MAX_TRAJECTORY = 400
"""points of the trajectory in the map: more would cover it"""
MAX_PANELS = 8


def sampled_map(analysis: Analysis, path: Path) -> None:
    """Draw how often each (H, s) was visited, and the way of the first walker."""
    samples, names = analysis.evidence.samples, labels(analysis)
    enthalpy = samples.enthalpy / samples.n_atoms
    counts, h_edges, s_edges = np.histogram2d(enthalpy, samples.order, bins=MAP_BINS)
    figure, (ax,) = new_figure(width=5.6, height=4.2)
    image = ax.pcolormesh(
        h_edges, s_edges, np.where(counts > 0, counts, np.nan).T, norm=LogNorm(), cmap="Blues", rasterized=True
    )
    figure.colorbar(image, label="samples")
    own = np.flatnonzero(samples.walker == 0)
    own = own[:: -(-len(own) // MAX_TRAJECTORY)]
    ax.plot(enthalpy[own], samples.order[own], "-", color=COLOURS["liquid"], lw=0.5, alpha=0.5, label="walker 0")
    phases = analysis.transition.phases
    if phases is not None:
        ax.axhline(phases.dividing, color="0.3", lw=0.8, ls="--", label=f"$s^*$ = {phases.dividing:.3f}")
    ax.set(xlabel=names["enthalpy"], ylabel=names["order"])
    legend = ax.legend(frameon=False, fontsize="small")
    for line in legend.get_lines():
        line.set(linewidth=1.2, alpha=1)
    h, s = (0.5 * (edges[1:] + edges[:-1]) for edges in (h_edges, s_edges))
    rows, columns = np.nonzero(counts)
    save_figure(
        figure,
        path,
        {"enthalpy_per_atom": h[rows], "order": s[columns], "samples": counts[rows, columns].astype(int)},
    )


def trajectory(analysis: Analysis, path: Path) -> None:
    """Draw the order parameter over the steps, one panel for each of the first walkers; the CSV holds all walkers."""
    samples, names = analysis.evidence.samples, labels(analysis)
    kept = np.arange(0, len(samples), -(-len(samples) // MAX_POINTS))
    columns = {
        "walker": samples.walker[kept],
        "step": samples.step[kept].astype(int),
        "order": samples.order[kept],
        "enthalpy_per_atom": samples.enthalpy[kept] / samples.n_atoms,
    }
    walkers = np.unique(columns["walker"])[:MAX_PANELS]
    figure, _ = new_figure(width=8, height=1.2 + 1.2 * len(walkers))
    figure.clear()
    axes = figure.subplots(len(walkers), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for ax, walker in zip(axes, walkers, strict=True):
        own = columns["walker"] == walker
        ax.plot(columns["step"][own], columns["order"][own], lw=0.4, color=COLOURS["solid"], rasterized=True)
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_title(f"walker {walker}", fontsize="small", loc="right", pad=2)
        phase_line(ax, analysis)
    axes[-1].set_xlabel("step")
    figure.supylabel(names["order"], fontsize="medium")
    save_figure(figure, path, columns)
