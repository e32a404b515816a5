"""Figures of two phases side by side: their course in time, profiles across the interface, and the line of pinning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unnp.plots import new_figure, save_figure
from unnp.sampling.estimate import Estimate
from unnp.workflows.melt.line import Line
from unnp.workflows.melt.two_phase.labels import Calibration, Profiles

LAST_PROFILES = 5
"""Number of profiles that are shown as those at the end of a run."""
SMOOTHING = 0.015
"""Standard deviation over which solid shares are averaged, in lengths of the cell."""


@dataclass(frozen=True)
class Course:
    """One run of two phases over time.

    Attributes:
        time: (n,) [ps].
        signal: (n,) what is averaged: temperature [K], or order parameter over that of the whole crystal.
        solid_share: (n,) of the cell.
        discard: fraction at the beginning that is left out.
        calibration: how crystal-like the two phases are.
        profiles: across the interface.
    """

    time: np.ndarray
    signal: np.ndarray
    solid_share: np.ndarray
    discard: float
    calibration: Calibration
    profiles: Profiles

    @property
    def discarded(self) -> float:
        """Time that is left out [ps]."""
        return float(self.time[int(self.discard * len(self.time))])

    def kept(self, series: np.ndarray) -> np.ndarray:
        """Return the part of a series that is averaged."""
        return series[int(self.discard * len(series)) :]


def course_figure(
    courses: Mapping[str, Course], signal: str, path: Path, level: float, error: float = 0.0, title: str = ""
) -> None:
    """Draw the signal and the solid share of runs over time, the part that is left out shaded.

    Args:
        courses: what each run did, by name.
        signal: what it is, with unit.
        path: PNG to write, with its data beside.
        level, error: drawn as a line with a band: the mean, or where the field is zero.
        title: over the signal.
    """
    figure, (left, right) = new_figure(2)
    for name, course in courses.items():
        left.plot(course.time, course.signal, lw=0.7, label=name)
        right.plot(course.time, course.solid_share, lw=0.9, label=name)
        left.axvspan(0, course.discarded, color="0.93", lw=0, zorder=0)
    left.axhline(level, color="0.2", lw=0.9)
    left.axhspan(level - error, level + error, color="0.4", alpha=0.3, lw=0)
    left.set(xlabel="time [ps]", ylabel=signal)
    left.set_title(title, fontsize="medium")
    right.set(xlabel="time [ps]", ylabel="solid share of the cell", ylim=(0, 1))
    if len(courses) > 1:
        right.legend(frameon=False, fontsize="small")
    parts = [(name, course, len(course.time)) for name, course in courses.items()]
    columns = {
        "run": np.concatenate([[name] * n for name, _, n in parts]),
        "time_ps": np.concatenate([course.time for _, course, _ in parts]),
        "signal": np.concatenate([course.signal for _, course, _ in parts]),
        "solid_share": np.concatenate([course.solid_share for _, course, _ in parts]),
    }
    save_figure(figure, path, columns)


def profile_figure(courses: Mapping[str, Course], path: Path) -> None:
    """Draw solid share and density across the cell, the mean of the last profiles of each run; data beside."""
    figure, (left, right) = new_figure(2)
    columns: dict[str, list[Any]] = {"run": [], "z_over_length": [], "solid_share": [], "density_per_A3": []}
    for name, course in courses.items():
        profiles = course.profiles
        density, crystal_like = profiles.last(LAST_PROFILES, SMOOTHING)
        share = course.calibration.solid_share(crystal_like)
        left.plot(profiles.position, share, lw=1.0, label=name)
        right.plot(profiles.position, density, lw=0.7)
        columns["run"] += [name] * len(share)
        columns["z_over_length"] += profiles.position.tolist()
        columns["solid_share"] += share.tolist()
        columns["density_per_A3"] += density.tolist()
    left.set(xlabel="z / length of the cell", ylabel="solid share at the end", ylim=(-0.05, 1.05))
    right.set(xlabel="z / length of the cell", ylabel="density [1/A$^3$]")
    if len(courses) > 1:
        left.legend(frameon=False, fontsize="small")
    save_figure(figure, path, columns)


def line_figure(points: Sequence[tuple[float, Estimate]], line: Line, path: Path) -> None:
    """Draw the difference in chemical potential over temperature with its line and root; data beside.

    Args:
        points: temperature [K] and difference [eV/atom] of each.
        line: through the points.
        path: PNG to write.
    """
    figure, (ax,) = new_figure()
    rows = [(temperature, found.value, found.error) for temperature, found in points]
    temperature, difference, error = np.array(rows).T
    root, slope = line.root, line.slope.value
    ax.errorbar(temperature, 1e3 * difference, 1e3 * error, fmt="o", ms=4, capsize=3)
    reach = np.array([min(*temperature, root.value), max(*temperature, root.value)])
    ax.plot(reach, 1e3 * slope * (reach - root.value), color="0.2", lw=0.9)
    ax.axhline(0, color="0.7", lw=0.8, zorder=0)
    ax.axvspan(root.value - root.error, root.value + root.error, color="0.4", alpha=0.3, lw=0)
    ax.set(xlabel="temperature [K]", ylabel=r"$\mu_\mathrm{solid} - \mu_\mathrm{liquid}$ [meV/atom]")
    ax.set_title(f"{root.value:.1f} $\\pm$ {root.error:.1f} K", fontsize="medium")
    columns = {"temperature_K": temperature, "difference_eV_per_atom": difference, "error_eV_per_atom": error}
    save_figure(figure, path, columns)
