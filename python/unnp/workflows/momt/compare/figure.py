"""The point of the method in one figure: histograms of energy, volume and order, all methods over each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from unnp.plots import new_figure, save_figure

QUANTITIES = {"energy": "potential energy [eV/atom]", "volume": "volume [A$^3$/atom]", "order": "order parameter s"}
BINS = 60


def draw(samples: dict[str, dict[str, np.ndarray]], titles: dict[str, str], n_atoms: int, path: Path) -> None:
    """Write the figure and its data.

    Args:
        samples: columns energy, volume and order by method.
        titles: names of the methods.
        n_atoms: energy and volume are shown per atom.
        path: PNG to write.
    """
    figure, axes = new_figure(len(QUANTITIES), width=4.0, height=3.2)
    data: dict[str, np.ndarray] = {}
    for ax, (quantity, label) in zip(axes, QUANTITIES.items(), strict=True):
        per = 1 if quantity == "order" else n_atoms
        values = {method: columns[quantity] / per for method, columns in samples.items()}
        edges = np.histogram_bin_edges(np.concatenate(list(values.values())), BINS)
        data[quantity] = 0.5 * (edges[1:] + edges[:-1])
        for method, column in values.items():
            density = np.histogram(column, edges, density=True)[0]
            data[f"{quantity}_{method}"] = density
            style: dict[str, Any] = {"fill": True, "alpha": 0.35, "color": "0.4"} if method == "momt" else {}
            ax.stairs(density, edges, label=titles[method], **style)
        ax.set(xlabel=label, ylabel="density", yscale="log")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    save_figure(figure, path, data)
