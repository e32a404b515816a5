"""What is kept of a ramp: ramp.json, and figures with their data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from unnp.errors import LammpsError
from unnp.files.writing import write_atomically
from unnp.plots import new_figure, save_figure
from unnp.workflows.ramp.bins import Bin
from unnp.workflows.ramp.limits import (
    Limit,
    label,
    melting_estimate,
    phases,
    superheating_limit,
    undercooling_limit,
)

FORMAT = "unnp ramp 1"
SMALL = 500
BOILED = 1.6
"""Volume over that of the crystal from which on a melt is taken to evaporate; melting adds 3 to 15 %."""
_UNITS = {
    "duration": "ps",
    "target": "K",
    "temperature": "K",
    "volume": "A3_per_atom",
    "enthalpy": "eV_per_atom",
    "potential_energy": "eV_per_atom",
    "msd": "A2",
    "diffusion": "A2_per_ps",
    "neighbour_distance": "A",
}
_COLOURS = {"heating": "tab:red", "cooling": "tab:blue"}


def summarise(bins: Sequence[Bin], provenance: Mapping[str, Any], warnings: Sequence[str]) -> dict[str, Any]:
    """Return the content of ``ramp.json``: limits, estimate, phase labels with their reasons, and where it comes from."""
    if not bins:
        raise LammpsError("no bin of the ramp has been finished yet.")
    heated, cooled = superheating_limit(bins), undercooling_limit(bins)
    estimate, worth = melting_estimate(heated, cooled)
    notes = list(warnings)
    if provenance["n_atoms"] < SMALL:
        notes.append(f"fewer than {SMALL} atoms: the limits and the crystal that grows depend on the size of the cell.")
    if max(part.volume for part in bins) > BOILED * bins[0].volume:
        notes.append(
            f"the volume grew to {max(part.volume for part in bins) / bins[0].volume:.1f} times that of the beginning: the "
            "melt evaporates, and what follows is no liquid. Take a lower peak temperature, or a higher pressure."
        )
    return {
        "format": FORMAT,
        **provenance,
        "superheating_limit": _described(heated),
        "undercooling_limit": _described(cooled),
        "melting_estimate": {"temperature_K": estimate, "reason": worth},
        "phases": [
            {
                "leg": phase.leg,
                "label": phase.label,
                "from_K": phase.first,
                "to_K": phase.last,
                "n_bins": phase.n_bins,
                "reason": phase.reason,
            }
            for phase in phases(bins)
        ],
        "warnings": notes,
    }


def write_report(
    folder: Path, bins: Sequence[Bin], rdf: Mapping[int, np.ndarray], summary: Mapping[str, Any], steps_per_bin: int
) -> None:
    """Write ``ramp.json``, ``ramp.png``, ``structure.png`` and ``rdf.png``, each figure with its CSV.

    Args:
        folder: the run's folder.
        bins: all bins, in order of time.
        rdf: g(r) by the step with which a bin ended.
        summary: what ``summarise`` returned.
        steps_per_bin: the plan's number of steps in each bin.
    """
    write_atomically(folder / "ramp.json", json.dumps(summary, indent=2) + "\n")
    columns = _columns(bins)
    _curves(folder / "ramp.png", bins, columns, summary)
    _structure(folder / "structure.png", bins, columns)
    _pairs(folder / "rdf.png", bins, rdf, steps_per_bin)


def _described(limit: Limit) -> dict[str, Any]:
    return {
        "temperature_K": limit.temperature,
        "error_K": limit.error,
        "enthalpy_jump_eV_per_atom": limit.enthalpy_jump,
        "volume_jump_A3_per_atom": limit.volume_jump,
        "reason": limit.reason,
    }


def _columns(bins: Sequence[Bin]) -> dict[str, list[Any]]:
    names = [field.name for field in fields(Bin)]
    titles = [f"{name}_{_UNITS[name]}" if name in _UNITS else name for name in names]
    columns = dict(zip(titles, map(list, zip(*map(astuple, bins), strict=True)), strict=True))
    return {"label": [label(part) for part in bins], **columns}


def _curves(path: Path, bins: Sequence[Bin], columns: Mapping[str, Any], summary: Mapping[str, Any]) -> None:
    drawn = {
        "volume": "volume [A$^3$/atom]",
        "enthalpy": "enthalpy [eV/atom]",
        "solid": "fraction of solid atoms",
    }
    figure, axes = new_figure(len(drawn), width=4.2)
    for ax, (name, title) in zip(axes, drawn.items(), strict=True):
        _legs(ax, bins, name)
        ax.set(xlabel="temperature [K]", ylabel=title)
        for limit, leg in (("superheating_limit", "heating"), ("undercooling_limit", "cooling")):
            if summary[limit]["temperature_K"] is not None:
                ax.axvline(summary[limit]["temperature_K"], color=_COLOURS[leg], ls=":", lw=0.8)
    axes[0].legend(frameon=False)
    save_figure(figure, path, columns)


def _structure(path: Path, bins: Sequence[Bin], columns: Mapping[str, Any]) -> None:
    figure, axes = new_figure(3, width=4.2)
    for ax, leg in zip(axes, _COLOURS, strict=False):
        own = [part for part in bins if part.leg == leg]
        for name in ("fcc", "hcp", "bcc", "other"):
            ax.plot([part.temperature for part in own], [getattr(part, name) for part in own], ".-", ms=3, label=name)
        ax.set(xlabel="temperature [K]", ylabel="fraction by common neighbours", title=leg, ylim=(-0.02, 1.02))
    axes[0].legend(frameon=False)
    _legs(axes[2], bins, "msd")
    axes[2].set(xlabel="temperature [K]", ylabel="square displacement in a bin [A$^2$]", yscale="log")
    save_figure(figure, path, columns)


def _legs(ax: Axes, bins: Sequence[Bin], name: str) -> None:
    for leg, colour in _COLOURS.items():
        own = [part for part in bins if part.leg == leg]
        if own:
            values = [getattr(part, name) for part in own]
            ax.plot([part.temperature for part in own], values, ".-", ms=3, color=colour, label=leg)


def _pairs(path: Path, bins: Sequence[Bin], rdf: Mapping[int, np.ndarray], steps_per_bin: int) -> None:
    """Draw g(r) of a few bins of each leg; the CSV has all of them."""
    figure, axes = new_figure(2)
    columns: dict[str, list[Any]] = {"leg": [], "temperature_K": [], "r_A": [], "g": []}
    for ax, leg in zip(axes, _COLOURS, strict=True):
        known = [part for part in bins if part.leg == leg and part.first_step + steps_per_bin in rdf]
        shown = set(np.linspace(0, len(known) - 1, 5).round().astype(int).tolist()) if known else set()
        for k, part in enumerate(known):
            r, g = rdf[part.first_step + steps_per_bin].T
            columns["leg"] += [leg] * len(r)
            columns["temperature_K"] += [part.temperature] * len(r)
            columns["r_A"] += r.tolist()
            columns["g"] += g.tolist()
            if k in shown:
                ax.plot(r, g, lw=1, label=f"{part.temperature:.0f} K, {label(part)}")
        ax.set(xlabel="r [A]", ylabel="g(r)", title=leg)
        if known:
            ax.legend(frameon=False, fontsize="small")
    save_figure(figure, path, columns)
