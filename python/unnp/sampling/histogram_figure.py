"""Reweighted distributions of energy, volume and order, and what was sampled."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np

from unnp.plots import new_figure, save_figure
from unnp.sampling.analysis import Analysis
from unnp.sampling.figure_labels import labels
from unnp.sampling.reweighting import log_weights

MAX_BINS = 100
N_SHOWN = 4
QUANTITIES = ("energy", "volume", "order")


def histograms(analysis: Analysis, path: Path) -> None:
    """Draw the distributions at four supported temperatures over that of all samples, normalised densities.

    At constant volume there is no distribution of it.
    """
    samples, names = analysis.evidence.samples, labels(analysis)
    temperatures = _shown(analysis)
    shown = [name for name in QUANTITIES if np.ptp(getattr(samples, name)) > 0]
    figure, axes = new_figure(len(shown), width=4.0, height=3.2)
    columns: dict[str, list[float | str]] = {"quantity": [], "value": [], "sampled": []}
    columns |= {_title(t): [] for t in temperatures}
    n_bins = int(np.clip(0.6 * np.sqrt(len(samples)), 20, MAX_BINS))  # few samples fill few bins
    colours = matplotlib.colormaps["plasma"](np.linspace(0.05, 0.8, len(temperatures)))
    weights = {t: _weights(analysis, t) for t in temperatures}
    for ax, name in zip(axes, shown, strict=True):
        values = getattr(samples, name) / (1 if name == "order" else samples.n_atoms)
        sampled, edges = np.histogram(values, bins=n_bins, density=True)
        centres = 0.5 * (edges[1:] + edges[:-1])
        ax.stairs(sampled, edges, fill=True, color="0.85", label="sampled")
        columns["quantity"] += [name] * n_bins
        columns["value"] += centres.tolist()
        columns["sampled"] += sampled.tolist()
        for temperature, colour in zip(temperatures, colours, strict=True):
            density = np.histogram(values, bins=edges, weights=weights[temperature], density=True)[0]
            ax.plot(centres, density, color=colour, lw=1.2, label=f"{temperature:.4g} {names.temperature}")
            columns[_title(temperature)] += density.tolist()
        ax.set(xlabel=names[name], ylabel="probability density", ylim=(0, None))
    axes[0].legend(frameon=False, fontsize="small")
    save_figure(figure, path, columns)


def _shown(analysis: Analysis) -> list[float]:
    """Return Tm, where there is one, with the lowest and highest listed temperatures and one more."""
    good = [row.temperature for row in analysis.thermal.listed if row.values is not None]
    if not good:
        good = list(analysis.evidence.temperature_range)
    spread = [good[k] for k in np.unique(np.linspace(0, len(good) - 1, N_SHOWN).round().astype(int))]
    if analysis.transition.melting is not None:
        tm = analysis.transition.melting.temperature.value
        inner = sorted(spread[1:-1], key=lambda t: abs(t - tm))
        spread = sorted({spread[0], *inner[1:], tm, spread[-1]})
    return spread


def _weights(analysis: Analysis, temperature: float) -> np.ndarray:
    logs = log_weights(analysis.evidence.samples, temperature, analysis.evidence.pressure)
    return np.exp(logs - logs.max())


def _title(temperature: float) -> str:
    return f"density_{temperature:.1f}"
