"""Figures of surface energies: parity of bulk, slab and surface energy; spread of the errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from unnp.plots import new_figure, save_figure
from unnp.workflows.surfaces.errors import QUANTITIES, Pair

PANELS = ("bulk", "slab", "gamma")
TITLES = {"bulk": "bulk", "slab": "slab", "gamma": "surface energy", "gamma_relaxed": "surface energy, relaxed"}
WHISKERS = 1.5
"""Whiskers of a box reach to the last error within this multiple of the interquartile range."""
_MARKS = ("o", "s", "^", "D", "v", "x", "+", "*")


def draw_parity(path: Path, found: Sequence[Pair]) -> None:
    """Draw what potentials have over what the reference has, of bulk, slab and unrelaxed surface energy."""
    figure, axes = new_figure(len(PANELS), width=4.2, height=4.0)
    potentials = list(dict.fromkeys(pair.potential for pair in found))
    for ax, quantity in zip(axes, PANELS, strict=True):
        own = [pair for pair in found if pair.quantity == quantity]
        for k, name in enumerate(potentials):
            points = [(pair.reference, pair.predicted) for pair in own if pair.potential == name]
            if points:
                ax.plot(*zip(*points, strict=True), _MARKS[k % len(_MARKS)], ms=4, mfc="none", label=name)
        _diagonal(ax, own)
        ax.set_title(TITLES[quantity], fontsize="medium")
        ax.set(xlabel=f"reference [{QUANTITIES[quantity]}]", ylabel=f"potential [{QUANTITIES[quantity]}]")
    if axes[0].lines:
        axes[0].legend(frameon=False, fontsize="small")
    save_figure(figure, path, _columns([pair for pair in found if pair.quantity in PANELS]))


def draw_errors(path: Path, found: Sequence[Pair]) -> None:
    """Draw the errors of the surface energies of each potential: their density, box and whiskers, and every slab."""
    quantities = [q for q in ("gamma", "gamma_relaxed") if any(pair.quantity == q for pair in found)]
    potentials = list(dict.fromkeys(pair.potential for pair in found))
    figure, axes = new_figure(max(1, len(quantities)), width=1.6 + 1.2 * len(potentials))
    for ax, quantity in zip(axes, quantities, strict=False):
        errors = [[p.error for p in found if p.quantity == quantity and p.potential == name] for name in potentials]
        _violins(ax, errors)
        ax.set_xticks(range(1, len(potentials) + 1), potentials, fontsize="small")
        ax.axhline(0, color="0.6", lw=0.8, zorder=0)
        ax.set_title(TITLES[quantity], fontsize="medium")
        ax.set_ylabel(f"error [{QUANTITIES[quantity]}]")
    save_figure(figure, path, _columns([pair for pair in found if pair.quantity in quantities]))


def _violins(ax: Axes, errors: Sequence[Sequence[float]]) -> None:
    for k, own in enumerate(errors, 1):
        if not own:
            continue
        if len(set(own)) > 2:  # a density needs some points
            parts = ax.violinplot(own, positions=[k], widths=0.8, showextrema=False)
            for body in parts["bodies"]:  # type: ignore[attr-defined]
                body.set_alpha(0.3)
        ax.boxplot([list(own)], positions=[k], widths=0.2, whis=WHISKERS, manage_ticks=False, flierprops={"ms": 3})


def _diagonal(ax: Axes, own: Sequence[Pair]) -> None:
    if own:
        values = [value for pair in own for value in (pair.reference, pair.predicted)]
        ax.plot([min(values), max(values)], [min(values), max(values)], color="0.6", lw=0.8, zorder=0)


def _columns(found: Sequence[Pair]) -> dict[str, list[Any]]:
    names = ("potential", "slab", "formula", "quantity", "reference", "predicted", "error")
    return {name: [getattr(pair, name) for pair in found] for name in names}
