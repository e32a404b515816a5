"""Differences in chemical potential from interface pinning: at which temperatures, and where they vanish."""

from __future__ import annotations

from dataclasses import dataclass

from unnp.errors import SamplingError
from unnp.sampling.estimate import Estimate
from unnp.units import BOLTZMANN_EV_PER_K
from unnp.workflows.melt.config import PinningConfig
from unnp.workflows.melt.line import Line, fit_line

FUSION_ENTROPY = 1.2
"""Entropy of fusion that many metals have per atom [k], from which the second temperature is chosen."""
LEAST_STEP = 0.015
"""Smallest step from one temperature to the next, as a share of them."""


@dataclass(frozen=True)
class PinnedPoint:
    """Difference in chemical potential at one temperature.

    Attributes:
        temperature: [K].
        difference: ``mu_solid - mu_liquid`` [eV/atom].
        drifts: whether the order parameter still drifts.
    """

    temperature: float
    difference: Estimate
    drifts: bool


def next_temperature(points: list[PinnedPoint], settings: PinningConfig, bracket: tuple[float, float]) -> float | None:
    """Return where to measure next [K], None where there is enough.

    Those of the configuration, or: the second follows from the first by an entropy of fusion of 1.2 k, later ones from the
    line through those before, each at least 1.5 % beyond the root so that it comes to lie between two points.

    Raises:
        SamplingError: the root is outside of the bracket.
    """
    if settings.temperatures:
        return settings.temperatures[len(points)] if len(points) < len(settings.temperatures) else None
    if len(points) > 1 and len({point.difference.value > 0 for point in points}) == 2:
        return None
    if len(points) == settings.most_temperatures:
        raise SamplingError(f"pinning: no change of sign within {len(points)} temperatures: {_listed(points)}.")
    last = points[-1]
    slope = FUSION_ENTROPY * BOLTZMANN_EV_PER_K if len(points) == 1 else _slope(points)
    root = last.temperature - last.difference.value / slope
    side = 1 if last.difference.value < 0 else -1  # crystal stable: go up
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
    line = fit_line(temperatures, [p.difference.value for p in points], [p.difference.error for p in points])
    span = max(temperatures) - min(temperatures)
    if line.slope.value <= 0:
        raise SamplingError(f"pinning: the crystal does not lose stability on heating ({_listed(points)}); run longer.")
    if not min(temperatures) - span <= line.root.value <= max(temperatures) + span:
        raise SamplingError(
            f"pinning: the points {_listed(points)} lie on one side of the melting point, which would be at "
            f"{line.root.value:.0f} K; give temperatures on both sides."
        )
    return line


def _slope(points: list[PinnedPoint]) -> float:
    """Return the slope through the last two points, not below half of the usual entropy of fusion."""
    a, b = points[-2:]
    slope = (b.difference.value - a.difference.value) / (b.temperature - a.temperature)
    return max(slope, 0.5 * FUSION_ENTROPY * BOLTZMANN_EV_PER_K)


def _listed(points: list[PinnedPoint]) -> str:
    return ", ".join(f"{1000 * p.difference.value:+.2f} meV/atom at {p.temperature:g} K" for p in points)
