"""Melting point by interface pinning: a harmonic field holds crystal and melt side by side at constant temperature.

``U = U_0 + (stiffness / 2) (Q - anchor)^2`` with ``Q = |sum_j exp(i k r_j)| / sqrt(N)`` at a Bragg peak. Where the phases are
not in equilibrium the system leans on the field, and the mean force is the difference in chemical potential (Pedersen, Hummel,
Kresse, Kahl and Dellago, J. Chem. Phys. 139, 104102 (2013)):

    mu_solid - mu_liquid = -stiffness (<Q> - anchor) Q_solid / N

``Q_solid`` is that of the whole cell as crystal; the melt scatters without a phase and does not move ``Q`` to first order.
Measured at several temperatures, its root is the melting point and its slope the entropy of fusion.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unnp.errors import ConfigError, SamplingError
from unnp.lammps.log import LammpsLog
from unnp.units import BOLTZMANN_EV_PER_K
from unnp.workflows.melt.cells import Crystal
from unnp.workflows.melt.config import MeltConfig, PinningConfig
from unnp.workflows.melt.decks import two_phase_data
from unnp.workflows.melt.estimates import Line, fit_line, mean_of
from unnp.workflows.melt.figures import Course, course_figure, line_figure, profile_figure
from unnp.workflows.melt.phases import PhaseLostError, check_both_present, read_profiles
from unnp.workflows.melt.routes import RouteResult
from unnp.workflows.melt.two_phase import TwoPhaseCell, averages

FUSION_ENTROPY = 1.2
"""Of many metals per atom [k], for the second temperature."""
LEAST_STEP = 0.03
"""Between two temperatures, as a share of them."""
SOFTNESS = 0.012
"""Fluctuation that the field allows, as a share of the order parameter of the whole crystal. The error of the mean force
does not depend on it, but a stiffer field is followed faster, until it reaches the vibrations of the crystal."""


@dataclass(frozen=True)
class PinnedPoint:
    """Difference in chemical potential at one temperature.

    Attributes:
        temperature: [K].
        difference, error: ``mu_solid - mu_liquid`` and its standard error [eV/atom].
        drifts: whether the order parameter still drifts.
    """

    temperature: float
    difference: float
    error: float
    drifts: bool


@dataclass(frozen=True)
class PinningRoute:
    """Interface pinning; attributes as of ``CoexistenceRoute``."""

    config: MeltConfig
    crystal: Crystal
    base: Path
    name: str = "pinning"

    def run(self, folder: Path, guess: float) -> RouteResult:
        """Return the temperature at which the mean force vanishes; see ``Route.run``."""
        if self.crystal.bragg is None:
            raise ConfigError(
                "pinning needs a wave vector in the plane of the interface at which the crystal scatters in phase, and the "
                "cell has none; turn the crystal so that dense planes stand at right angles to the interface."
            )
        settings = self.config.pinning
        points: list[PinnedPoint] = []
        courses: dict[str, Course] = {}
        temperature: float | None = settings.temperatures[0] if settings.temperatures else guess
        while temperature is not None:
            point, course = self._measure(folder, temperature)
            print(
                f"pinning at {point.temperature:g} K: {1000 * point.difference:+.2f} +- {1000 * point.error:.2f} meV/atom"
            )
            points.append(point)
            courses[f"{point.temperature:g} K"] = course
            temperature = next_temperature(points, settings, self.config.bracket)
        line = root_of(points)
        line_figure([asdict(point) for point in points], line, folder / "pinning.png")
        course_figure(courses, "order parameter / that of the crystal", folder / "pinning-course.png", 0.5)
        profile_figure(courses, folder / "pinning-profile.png")
        return _result(points, line)

    def _measure(self, folder: Path, temperature: float) -> tuple[PinnedPoint, Course]:
        try:
            return self._point(folder, temperature)
        except PhaseLostError as error:
            raise SamplingError(
                f"{error} The field did not hold it: give temperatures nearer to the melting point (run the route "
                "coexistence first), or a stiffer field with pinning.stiffness."
            ) from None

    def _point(self, folder: Path, temperature: float) -> tuple[PinnedPoint, Course]:
        settings = self.config.pinning
        cell = TwoPhaseCell(self.config, self.crystal, temperature, self.base, folder / "cells")
        labels, whole = cell.two_phases(), cell.solid().order
        assert whole is not None  # there is a Bragg peak
        stiffness = settings.stiffness or BOLTZMANN_EV_PER_K * cell.temperature / (SOFTNESS * whole) ** 2
        deck = cell.decks.pinning(stiffness, whole / 2)
        result = cell.stages.run("pinning", deck, [two_phase_data(1)], self.config.steps(settings.duration), _read)
        table = {name: np.array(column) for name, column in result.items()}
        share = labels.solid_share(table["crystal_like"])
        check_both_present(share, cell.temperature, f"{cell.folder}, pinned", adiabatic=False)
        profiles = read_profiles(cell.folder / "profile.pinning.dat")
        course = Course(table["time"], table["order"] / whole, share, settings.discard, labels, profiles)
        mean = mean_of(course.kept(table["order"]))
        factor = -stiffness * whole / len(self.crystal.atoms)
        difference, error = factor * (mean.value - whole / 2), abs(factor) * mean.error
        return PinnedPoint(cell.temperature, difference, error, mean.drifts), course


def next_temperature(points: list[PinnedPoint], settings: PinningConfig, bracket: tuple[float, float]) -> float | None:
    """Return where to measure next [K], None where there is enough.

    Those of the configuration, or: the second follows from the first by an entropy of fusion of 1.2 k, later ones from the
    line through those before, each at least 3 % beyond the root so that it comes to lie between two points.

    Raises:
        SamplingError: the root is outside of the bracket.
    """
    if settings.temperatures:
        return settings.temperatures[len(points)] if len(points) < len(settings.temperatures) else None
    if len(points) > 1 and len({point.difference > 0 for point in points}) == 2:
        return None
    if len(points) == settings.most_temperatures:
        raise SamplingError(f"pinning: no change of sign within {len(points)} temperatures: {_listed(points)}.")
    last = points[-1]
    slope = FUSION_ENTROPY * BOLTZMANN_EV_PER_K if len(points) == 1 else _slope(points)
    root = last.temperature - last.difference / slope
    side = 1 if last.difference < 0 else -1  # crystal stable: go up
    step = max(LEAST_STEP * last.temperature, abs(root - last.temperature) + LEAST_STEP * last.temperature)
    low, high = bracket
    following = min(max(last.temperature + side * step, low), high)
    if round(following, 1) in {point.temperature for point in points}:
        raise SamplingError(
            f"pinning: the melting point is {'above' if side > 0 else 'below'} {following:.0f} K, where the bracket of "
            f"temperatures ends: {_listed(points)}. Give other `temperatures`."
        )
    return following


def root_of(points: list[PinnedPoint]) -> Line:
    """Return the line through the points and its root, the melting point.

    Raises:
        SamplingError: fewer than two points, the wrong slope, or a root far outside of the points.
    """
    if len({point.temperature for point in points}) < 2:
        raise SamplingError("pinning needs at least two temperatures; give more in pinning.temperatures.")
    temperatures = [point.temperature for point in points]
    line = fit_line(temperatures, [p.difference for p in points], [p.error for p in points])
    span = max(temperatures) - min(temperatures)
    if line.slope <= 0:
        raise SamplingError(f"pinning: the crystal does not lose stability on heating ({_listed(points)}); run longer.")
    if not min(temperatures) - span <= line.root <= max(temperatures) + span:
        raise SamplingError(
            f"pinning: the points {_listed(points)} lie on one side of the melting point, which would be at "
            f"{line.root:.0f} K; give temperatures on both sides."
        )
    return line


def _slope(points: list[PinnedPoint]) -> float:
    """Return the slope through the last two points, not below half of the usual entropy of fusion."""
    a, b = points[-2:]
    slope = (b.difference - a.difference) / (b.temperature - a.temperature)
    return max(slope, 0.5 * FUSION_ENTROPY * BOLTZMANN_EV_PER_K)


def _listed(points: list[PinnedPoint]) -> str:
    return ", ".join(f"{1000 * p.difference:+.2f} meV/atom at {p.temperature:g} K" for p in points)


def _result(points: list[PinnedPoint], line: Line) -> RouteResult:
    warnings = [
        f"at {point.temperature:g} K the order parameter still drifts; make pinning.duration longer"
        for point in points
        if point.drifts
    ]
    if line.chi_squared > 4:
        warnings.append(
            f"the points scatter around a line by {line.chi_squared:.1f} times what their errors allow (chi^2)"
        )
    latent = (line.slope * line.root, line.slope_error * line.root)
    details = {"points": [asdict(point) for point in points], "line": asdict(line)}
    return RouteResult(line.root, line.root_error, details, warnings, latent)


def _read(log: LammpsLog) -> dict[str, Any]:
    table = averages(log.blocks[-1])
    columns = {"time": table["Time"], "order": table["f_order_mean"], "crystal_like": table["crystal_like"]}
    return {name: np.round(column, 8).tolist() for name, column in columns.items()}
