"""The map of slabs as a figure: a panel for each potential, coloured by its errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D

from unnp.plots import new_figure, save_figure
from unnp.workflows.surfaces.errors import Pair
from unnp.workflows.surfaces.labels import name_groups
from unnp.workflows.surfaces.lattice import LATTICES

_MARKS = dict(zip(LATTICES, ("o", "s", "^", "D", "v", "P"), strict=True))


def draw_places(
    path: Path,
    errors: Sequence[Pair],
    where: Mapping[str, np.ndarray],
    lattices: Mapping[str, str],
    shares: Sequence[float],
) -> None:
    """Draw slabs at their places, coloured by the error of the surface energy, marked by the crystal's lattice.

    Args:
        path: PNG to write.
        errors: of the surface energy.
        where: by slab, its two components.
        lattices: by slab, one of ``LATTICES``.
        shares: of the variance that the components have.
    """
    potentials = list(dict.fromkeys(pair.potential for pair in errors))
    shades = ScalarMappable(Normalize(0, max((abs(pair.error) for pair in errors), default=1.0)), "viridis")
    figure, axes = new_figure(max(1, len(potentials)), width=3.4, height=3.6)
    everywhere = np.array(list(where.values()))
    for ax, name in zip(axes, potentials, strict=False):
        _scatter(ax, [pair for pair in errors if pair.potential == name], where, lattices, shades)
        _limit(ax, everywhere)
        ax.set_title(name, fontsize="medium")
        ax.set_xlabel(f"component 1 ({shares[0]:.0%} of the variance)")
    axes[0].set_ylabel(f"component 2 ({shares[1]:.0%})")
    figure.colorbar(shades, ax=axes, label="|error of surface energy| [J/m^2]", fraction=0.02)
    marks = [
        Line2D([], [], ls="", marker=_MARKS[lattice], color="0.5", label=lattice)
        for lattice in dict.fromkeys(lattices[pair.slab] for pair in errors)
    ]
    figure.legend(
        handles=marks, title="lattice of the crystal:", ncols=len(LATTICES), loc="outside lower center", frameon=False
    )
    figure.draw_without_rendering()  # names are placed in the axes as they are laid out
    for ax, name in zip(axes, potentials, strict=False):
        groups: dict[str, list[np.ndarray]] = {}
        for pair in errors:
            if pair.potential == name:
                groups.setdefault(pair.formula, []).append(where[pair.slab])
        drawn = {formula: np.array(places) for formula, places in groups.items()}
        name_groups(ax, drawn, np.vstack(list(drawn.values())))
    save_figure(figure, path, _columns(errors, where, lattices))


def _scatter(
    ax: Axes, own: Sequence[Pair], where: Mapping[str, np.ndarray], lattices: Mapping[str, str], shades: ScalarMappable
) -> None:
    for lattice in dict.fromkeys(lattices.values()):
        shown = [pair for pair in own if lattices[pair.slab] == lattice]
        if shown:
            places = np.array([where[pair.slab] for pair in shown])
            colours = shades.to_rgba(np.abs([pair.error for pair in shown]))
            ax.scatter(places[:, 0], places[:, 1], c=colours, marker=_MARKS[lattice], s=22, lw=0, alpha=0.8)


def _limit(ax: Axes, everywhere: np.ndarray) -> None:
    """Give all panels the same limits, with room for names beside the outermost points."""
    for limits, values in ((ax.set_xlim, everywhere[:, 0]), (ax.set_ylim, everywhere[:, 1])):
        margin = 0.12 * np.ptp(values) + 1e-9
        limits(values.min() - margin, values.max() + margin)


def _columns(
    errors: Sequence[Pair], where: Mapping[str, np.ndarray], lattices: Mapping[str, str]
) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        name: [getattr(pair, name) for pair in errors] for name in ("potential", "slab", "formula")
    }
    columns["lattice"] = [lattices[pair.slab] for pair in errors]
    columns |= {axis: [float(where[pair.slab][k]) for pair in errors] for k, axis in enumerate(("x", "y"))}
    return columns | {"error": [pair.error for pair in errors]}
