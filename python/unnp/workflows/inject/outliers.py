"""Labels that classifiers chose beside the hidden ones, structure by structure: where they are wrong, and how far."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from unnp.plots import new_figure, save_figure
from unnp.workflows.inject.choice import Choice
from unnp.workflows.inject.classifiers import Among, choice_for_pool, right_classes, words_of
from unnp.workflows.inject.methods import CONFIDENCES
from unnp.workflows.inject.seeds import Seed

MEV = 1000.0
DRAWN = (0.02, 0.98)
"""Quantiles of the hidden energies that the axes hold: a few crystals may be far above all others."""


def chosen_labels(seed: Seed, choice: Choice, among: Among) -> dict[str, list[Any]]:
    """Return a row for each structure of the pool with a chosen potential and a hidden energy; empty columns without any.

    ``structure`` is its position in the pool, ``potential`` gave it its label, ``nearest`` is the one that had been right of
    those to choose among, or none. ``hidden`` and ``label`` are energies [eV/atom], ``error`` is what they differ by
    [meV/atom], an ``outlier`` one beyond tau.
    """
    names = ["structure", "group", "atoms", "potential", "nearest", "confidence", "probability"]
    columns: dict[str, list[Any]] = {name: [] for name in [*names, "hidden", "label", "error", "outlier"]}
    pool = seed.material.pool
    right = right_classes(seed, among)[list(pool)].tolist()
    called = [*seed.potentials, "none"]
    for k, (p, structure) in enumerate(zip(choice.potential.tolist(), seed.material.at(pool), strict=True)):
        label = seed.pool_labels[p][k] if p < len(seed.potentials) else None
        if label is None or label.energy is None or structure.energy is None:
            continue
        hidden, found = structure.energy / len(structure), label.energy / len(structure)
        row = [k, structure.group, len(structure), called[p], called[right[k]], choice.confidence[k]]
        row += [float(choice.probability[k]), hidden, found, MEV * (found - hidden)]
        row.append(int(abs(found - hidden) > seed.config.classifier.tau))
        for name, value in zip(columns, row, strict=True):
            columns[name].append(value)
    return columns


def draw_outliers(path: Path, seed: Seed, architecture: str, among: Among) -> None:
    """Draw chosen labels over hidden ones, and how large their errors are for each third of confidence; nothing without any."""
    columns = chosen_labels(seed, choice_for_pool(seed, architecture, among), among)
    if not columns["structure"]:
        return
    hidden, label, errors = (np.array(columns[name]) for name in ("hidden", "label", "error"))
    confidence, tau = np.array(columns["confidence"]), seed.config.classifier.tau
    figure, (left, right) = new_figure(2)
    for name in CONFIDENCES:
        own = confidence == name
        left.plot(hidden[own], label[own], ".", ms=4, alpha=0.6, label=name)
        sizes = np.sort(np.abs(errors[own]))
        right.plot(sizes, np.arange(1, len(sizes) + 1) / max(len(sizes), 1), drawstyle="steps-post", label=name)
    limits = np.quantile(hidden, DRAWN)
    margin = max(float(np.ptp(limits)) * 0.05, 2 * tau)
    ends = np.array([limits[0] - margin, limits[1] + margin])
    left.plot(ends, ends, color="0.4", lw=0.8)
    left.fill_between(ends, ends - tau, ends + tau, color="0.85", zorder=0, label="within tau")
    left.set(xlim=ends, ylim=ends, xlabel="hidden energy [eV/atom]", ylabel="energy of the chosen potential [eV/atom]")
    words = words_of(among, seed.potentials)
    title = architecture if words == "all" else f"{architecture} ({words})"
    left.set_title(f"{title}: {np.mean(columns['outlier']):.0%} outliers", fontsize="medium")
    right.axvline(MEV * tau, color="0.4", lw=0.8, ls="--")
    right.set(xlabel="|error of the chosen energy| [meV/atom]", ylabel="share of the labels", xscale="log")
    for ax in (left, right):
        ax.legend(frameon=False, fontsize="small")
    save_figure(figure, path, columns)
