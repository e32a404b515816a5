"""The figures of an analysis; each has its data beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from unnp.files.writing import writing
from unnp.plots import new_figure, save_figure
from unnp.sampling.analysis import Analysis
from unnp.sampling.figure_labels import COLOURS, labels, phase_line, shade
from unnp.sampling.histogram_figure import histograms
from unnp.sampling.visit_figures import sampled_map, trajectory


def write_figures(analysis: Analysis, folder: Path) -> None:
    """Draw every figure that the analysis has the numbers for; those of an earlier analysis are deleted first."""
    drawn: dict[str, Callable[[Analysis, Path], None] | None] = {
        "map": sampled_map,
        "trajectory": trajectory,
        "histograms": histograms,
        "heat-capacity": heat_capacity,
        "free-energy-difference": free_energy_difference if analysis.transition.melting else None,
        "free-energy-profile": free_energy_profile if analysis.densities.profiles else None,
        "entropy": entropy if analysis.densities.states else None,
        "density-of-states": density_of_states if analysis.densities.states else None,
    }
    for name, draw in drawn.items():
        path = folder / f"{name}.png"
        with writing(path):
            for old in (path, path.with_suffix(".csv")):
                old.unlink(missing_ok=True)
        if draw is not None:
            draw(analysis, path)


def free_energy_difference(analysis: Analysis, path: Path) -> None:
    """Draw dG(T) per atom with its error band, and the melting point."""
    melting, names = analysis.transition.melting, labels(analysis)
    assert melting is not None
    scale = names.scale / analysis.evidence.samples.n_atoms
    t, value, error = melting.curve.temperatures, melting.curve.difference * scale, melting.curve.error * scale
    figure, (ax,) = new_figure()
    ax.axhline(0, color="0.6", lw=0.8)
    shade(ax, t, value, error, COLOURS["all"])
    tm = melting.temperature
    ax.axvspan(tm.value - tm.error, tm.value + tm.error, color=COLOURS["liquid"], alpha=0.25, lw=0)
    ax.axvline(tm.value, color=COLOURS["liquid"], lw=1, label=f"$T_m$ = {names.number(tm)}")
    ax.set(xlabel=names["temperature"], ylabel=f"$G_{{sol}} - G_{{liq}}$ [{names.small_energy}/atom]")
    ax.legend(frameon=False)
    save_figure(
        figure, path, {"temperature": t, "difference_per_atom": value / names.scale, "error": error / names.scale}
    )


def free_energy_profile(analysis: Analysis, path: Path) -> None:
    """Draw G(s) of the cell at some temperatures."""
    names = labels(analysis)
    figure, (ax,) = new_figure()
    columns: dict[str, list[float]] = {"temperature": [], "order": [], "free_energy": [], "error": []}
    for profile, colour in zip(
        analysis.densities.profiles, (COLOURS["solid"], COLOURS["all"], COLOURS["liquid"]), strict=False
    ):
        label = f"{profile.temperature:.4g} {names.temperature}"
        shade(ax, profile.order, profile.free_energy, profile.error, colour, label)
        columns["temperature"] += [profile.temperature] * len(profile.order)
        for name in ("order", "free_energy", "error"):
            columns[name] += getattr(profile, name).tolist()
    if analysis.transition.phases is not None:
        ax.axvline(analysis.transition.phases.dividing, color="0.3", lw=0.8, ls="--")
    ax.set(xlabel=names["order"], ylabel=f"$G(s)$ of the cell [{names.energy}]")
    ax.legend(frameon=False, fontsize="small")
    save_figure(figure, path, {name: _cells(column) for name, column in columns.items()})


def heat_capacity(analysis: Analysis, path: Path) -> None:
    """Draw the heat capacity per atom of the sample and of each phase, in k."""
    k = analysis.evidence.samples.boltzmann
    figure, (ax,) = new_figure()
    columns: dict[str, list[float]] = {}
    for name, curve in analysis.thermal.heat_capacities.items():
        value, error = curve.value / k, curve.error / k
        shade(ax, curve.temperatures, value, error, COLOURS[name], "whole sample" if name == "all" else name)
        columns |= {
            "temperature": curve.temperatures.tolist(),
            f"{name}_k": value.tolist(),
            f"{name}_error_k": error.tolist(),
        }
    ax.set(xlabel=labels(analysis)["temperature"], ylabel="heat capacity [$k$/atom]")
    if len(analysis.thermal.heat_capacities) > 1:  # the peak at Tm dwarfs what the phases do
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
    ax.legend(frameon=False, fontsize="small")
    save_figure(figure, path, {name: _cells(column) for name, column in columns.items()})


def entropy(analysis: Analysis, path: Path) -> None:
    """Draw S(H) and T(H) = dH/dS beside the canonical <H>(T)."""
    states, sums, names = analysis.densities.states, analysis.thermal.sums, labels(analysis)
    assert states is not None
    n = analysis.evidence.samples.n_atoms
    h = states.enthalpy / n
    figure, (left, right) = new_figure(2)
    shade(left, h, states.entropy / n, states.entropy_error / n, COLOURS["all"])
    left.set(xlabel=names["enthalpy"], ylabel="configurational entropy [$k$/atom]")
    shade(right, h, states.temperature, states.temperature_error, COLOURS["all"], "$T(H) = dH/dS$")
    if analysis.evidence.pressure == analysis.evidence.samples.pressure:
        canonical = sums.averages(sums.both_phases(sums.whole()))["enthalpy"]
        right.plot(canonical, sums.temperatures, color=COLOURS["liquid"], lw=1, ls="--", label=r"$\langle H\rangle(T)$")
    right.set(xlabel=names["enthalpy"], ylabel=names["temperature"])
    right.legend(frameon=False, fontsize="small")
    columns = {
        "enthalpy_per_atom": h,
        "entropy_per_atom_k": states.entropy / n,
        "entropy_error": states.entropy_error / n,
        "temperature": states.temperature,
        "temperature_error": states.temperature_error,
    }
    save_figure(figure, path, columns)


def density_of_states(analysis: Analysis, path: Path) -> None:
    """Draw ln n(H, s)/N as a map; the CSV holds ln n of the whole cell."""
    states, names = analysis.densities.states, labels(analysis)
    assert states is not None
    n = analysis.evidence.samples.n_atoms
    figure, (ax,) = new_figure(width=5.6, height=4.2)
    shown = np.where(np.isfinite(states.log_density), states.log_density / n, np.nan)
    image = ax.pcolormesh(
        states.enthalpy / n, states.order, shown.T, shading="nearest", cmap="viridis", rasterized=True
    )
    figure.colorbar(image, label=r"$\ln n(H, s) / N$")
    phase_line(ax, analysis)
    ax.set(xlabel=names["enthalpy"], ylabel=names["order"])
    rows, columns = np.nonzero(np.isfinite(states.log_density))
    table = {
        "enthalpy_per_atom": states.enthalpy[rows] / n,
        "order": states.order[columns],
        "log_density": states.log_density[rows, columns],
    }
    save_figure(figure, path, table)


def _cells(column: list[float]) -> list[Any]:
    return [value if np.isfinite(value) else None for value in column]
