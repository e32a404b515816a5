"""Figures of surface energies: bulk, slab and surface energy beside the reference's; spread of the errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from unnp.plots import new_figure, save_figure
from unnp.workflows.surfaces.errors import QUANTITIES, Pair, shown

TITLES = {"bulk": "bulk", "slab": "slab", "gamma": "surface energy", "gamma_relaxed": "surface energy, relaxed"}
WHISKERS = 1.5
"""Whiskers of a box reach to the last error within this multiple of the interquartile range."""
_MARKS = ("o", "s", "^", "D", "v", "x", "+", "*")


def draw_parity(path: Path, found: Sequence[Pair], reference: str) -> None:
    """Draw what potentials have over what the reference has, and below that their errors, which are small beside it.

    Args:
        path: PNG to write.
        found: what is compared; each quantity in it gets a column of panels.
        reference: its name.
    """
    quantities = [quantity for quantity in QUANTITIES if any(pair.quantity == quantity for pair in found)]
    figure, axes = new_figure(max(1, len(quantities)), width=4.0, height=3.4, n_rows=2)
    potentials = list(dict.fromkeys(pair.potential for pair in found))
    for upper, lower, quantity in zip(axes, axes[len(axes) // 2 :], quantities, strict=False):
        own = [pair for pair in found if pair.quantity == quantity]
        for k, name in enumerate(potentials):
            _points(upper, lower, [pair for pair in own if pair.potential == name], k)
        values = [value for pair in own for value in (pair.reference, pair.predicted)]
        upper.plot([min(values), max(values)], [min(values), max(values)], color="0.6", lw=0.8, zorder=0)
        lower.axhline(0, color="0.6", lw=0.8, zorder=0)
        unit = QUANTITIES[quantity]
        upper.set_title(TITLES[quantity], fontsize="medium")
        upper.set(ylabel=f"potential [{unit}]")
        lower.set(xlabel=f"{reference} [{unit}]", ylabel=f"potential - {reference} [{shown(quantity)[1]}]")
        lower.set_xlim(upper.get_xlim())
        upper.legend(frameon=False, fontsize="small", title="mean absolute error", title_fontsize="small")
    save_figure(figure, path, _columns(found))


def draw_errors(path: Path, found: Sequence[Pair]) -> None:
    """Draw the errors of the surface energies of each potential: density, box and whiskers, and points beyond these."""
    quantities = [q for q in ("gamma", "gamma_relaxed") if any(pair.quantity == q for pair in found)]
    potentials = list(dict.fromkeys(pair.potential for pair in found))
    figure, axes = new_figure(max(1, len(quantities)), width=1.6 + 1.2 * len(potentials))
    for ax, quantity in zip(axes, quantities, strict=False):
        errors = [[p.error for p in found if p.quantity == quantity and p.potential == name] for name in potentials]
        _violins(ax, errors)
        names = [f"{name}\nn = {len(own)}" for name, own in zip(potentials, errors, strict=True)]
        ax.set_xticks(range(1, len(potentials) + 1), names, fontsize="small")
        ax.axhline(0, color="0.6", lw=0.8, zorder=0)
        ax.set_title(TITLES[quantity], fontsize="medium")
        ax.set_ylabel(f"error [{QUANTITIES[quantity]}]")
    save_figure(figure, path, _columns([pair for pair in found if pair.quantity in quantities]))


def _points(upper: Axes, lower: Axes, own: Sequence[Pair], k: int) -> None:
    """Draw the slabs of a potential: small, open marks, through which those of the others are seen."""
    if not own:
        return
    factor, unit = shown(own[0].quantity)
    errors = factor * np.array([pair.error for pair in own])
    references = [pair.reference for pair in own]
    marks: dict[str, Any] = {"marker": _MARKS[k % len(_MARKS)], "ls": "", "ms": 3.5, "mew": 0.8, "mfc": "none"}
    label = f"{own[0].potential}: {float(np.abs(errors).mean()):.2g} {unit}"
    upper.plot(references, [pair.predicted for pair in own], alpha=0.7, label=label, **marks)
    lower.plot(references, errors, alpha=0.7, color=upper.lines[-1].get_color(), **marks)


def _violins(ax: Axes, errors: Sequence[Sequence[float]]) -> None:
    for k, own in enumerate(errors, 1):
        if not own:
            continue
        if len(set(own)) > 2:  # a density needs some points
            parts = ax.violinplot(own, positions=[k], widths=0.8, showextrema=False)
            for body in parts["bodies"]:  # type: ignore[attr-defined]
                body.set_alpha(0.3)
        ax.boxplot(
            [list(own)],
            positions=[k],
            widths=0.2,
            whis=WHISKERS,
            manage_ticks=False,
            patch_artist=True,
            boxprops={"facecolor": "white", "lw": 0.8},
            medianprops={"color": "black", "lw": 1.4, "solid_capstyle": "butt"},
            whiskerprops={"lw": 0.8},
            flierprops={"ms": 3},
        )


def _columns(found: Sequence[Pair]) -> dict[str, list[Any]]:
    names = ("potential", "slab", "formula", "quantity", "reference", "predicted", "error")
    return {name: [getattr(pair, name) for pair in found] for name in names}
