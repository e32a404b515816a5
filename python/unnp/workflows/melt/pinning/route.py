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
from unnp.sampling.estimate import Estimate
from unnp.units import BOLTZMANN_EV_PER_K
from unnp.workflows.melt.line import Line
from unnp.workflows.melt.pinning.block_means import mean_of
from unnp.workflows.melt.pinning.mean_force import PinnedPoint, next_temperature, root_of
from unnp.workflows.melt.routes import RouteResult
from unnp.workflows.melt.two_phase.cell import averages
from unnp.workflows.melt.two_phase.decks import two_phase_data
from unnp.workflows.melt.two_phase.figures import Course, course_figure, line_figure, profile_figure
from unnp.workflows.melt.two_phase.labels import PhaseLostError, check_both_present, read_profiles
from unnp.workflows.melt.two_phase.route import TwoPhaseRoute

SOFTNESS = 0.012
"""Fluctuation that the field allows, as a share of the order parameter of the whole crystal. The error of the mean force
does not depend on it, but a stiffer field is followed faster, until it reaches the vibrations of the crystal."""

MOST_OUT_OF_PHASE = 0.1
"""Largest fraction of the cell that may be solid without contributing to the order parameter."""


@dataclass(frozen=True)
class PinningRoute(TwoPhaseRoute):
    """Interface pinning."""

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
            found = point.difference.times(1000)
            print(f"pinning at {point.temperature:g} K: {found.value:+.2f} +- {found.error:.2f} meV/atom", flush=True)
            points.append(point)
            courses[f"{point.temperature:g} K"] = course
            temperature = next_temperature(points, settings, self.config.bracket)
        line = root_of(points)
        line_figure([(point.temperature, point.difference) for point in points], line, folder / "pinning.png")
        course_figure(courses, "order parameter / that of the crystal", folder / "pinning-course.png", 0.5)
        profile_figure(courses, folder / "pinning-profile.png")
        return self._result(points, line)

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
        cell = self.cell(folder, temperature)
        calibration, whole = cell.two_phases(), cell.solid().order
        assert whole is not None  # there is a Bragg peak
        stiffness = settings.stiffness or BOLTZMANN_EV_PER_K * cell.temperature / (SOFTNESS * whole) ** 2
        deck = cell.decks.pinning(stiffness, whole / 2)
        result = cell.run("pinning", deck, [two_phase_data(1)], self.config.steps(settings.duration), _read)
        table = {name: np.array(column) for name, column in result.items()}
        share = calibration.solid_share(table["crystal_like"])
        check_both_present(share, cell.temperature, f"{cell.folder}, pinned", adiabatic=False)
        check_in_phase(share, table["order"] / whole, settings.discard, str(cell.folder))
        profiles = read_profiles(cell.folder / "profile.pinning.dat")
        course = Course(table["time"], table["order"] / whole, share, settings.discard, calibration, profiles)
        mean = mean_of(course.kept(table["order"]))
        factor = -stiffness * whole / len(self.crystal.atoms)
        difference = Estimate(mean.value - whole / 2, mean.error).times(factor)
        return PinnedPoint(cell.temperature, difference, mean.drifts), course

    def _result(self, points: list[PinnedPoint], line: Line) -> RouteResult:
        warnings = [
            f"at {point.temperature:g} K the order parameter still drifts; make pinning.duration longer"
            for point in points
            if point.drifts
        ]
        if line.chi_squared > 4:
            warnings.append(
                f"the points scatter around a line by {line.chi_squared:.1f} times what their errors allow (chi^2)"
            )
        details = {"points": [asdict(point) for point in points], "line": asdict(line)}
        return self.result(line.root, details, warnings, latent_heat=line.slope.times(line.root.value))


def check_in_phase(solid_share: np.ndarray, order: np.ndarray, discard: float, where: str) -> None:
    """Raise SamplingError where crystal has grown that the field does not see, as it scatters out of phase with the rest.

    Args:
        solid_share: (n,) of the cell, over time.
        order: (n,) order parameter over that of the whole crystal.
        discard: fraction at the beginning that is left out.
        where: what the message names as the place.
    """
    kept = slice(int(discard * len(order)), None)
    share, seen = float(solid_share[kept].mean()), float(order[kept].mean())
    if abs(share - seen) > MOST_OUT_OF_PHASE:
        raise SamplingError(
            f"{where}: {100 * share:.0f} % of the cell are solid, but the order parameter is that of {100 * seen:.0f} %: "
            "crystal grew out of phase with the rest, past the field, and the mean force is not that of the two phases. "
            "Give pinning.temperatures nearer to the melting point."
        )


def _read(log: LammpsLog) -> dict[str, Any]:
    table = averages(log.blocks[-1])
    columns = {"time": table["Time"], "order": table["f_order_mean"], "crystal_like": table["crystal_like"]}
    return {name: np.round(column, 8).tolist() for name, column in columns.items()}
