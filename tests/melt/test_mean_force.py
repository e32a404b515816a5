"""Roots of lines through points with errors; where to start next."""

from __future__ import annotations

import numpy as np
import pytest
from unnp.errors import SamplingError
from unnp.sampling.estimate import Estimate
from unnp.workflows.melt.coexistence.bracket import Bracket
from unnp.workflows.melt.config import PinningConfig
from unnp.workflows.melt.line import fit_line
from unnp.workflows.melt.pinning.mean_force import PinnedPoint, next_temperature, root_of
from unnp.workflows.melt.pinning.route import check_in_phase
from unnp.workflows.melt.two_phase.labels import PhaseLostError


def test_the_root_of_a_line_and_its_error():
    rng, slope, root = np.random.default_rng(8), 1.3e-4, 926.0
    x, errors = np.array([890.0, 910, 940, 960]), np.array([4e-4, 2e-4, 3e-4, 5e-4])
    lines = [fit_line(x, slope * (x - root) + errors * rng.normal(size=4), errors) for _ in range(400)]
    pulls = np.array([(line.root.value - root) / line.root.error for line in lines])
    assert abs(pulls.mean()) < 0.2
    assert 0.8 < pulls.std() < 1.1  # chi squared above 1 makes errors larger
    assert np.mean([line.slope.value for line in lines]) == pytest.approx(slope, rel=0.02)
    exact = fit_line(x, slope * (x - root), errors)
    assert (exact.root.value, exact.slope.value) == (pytest.approx(root), pytest.approx(slope))
    assert exact.chi_squared == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("melting_point", [700, 860, 926, 1010, 1300])
@pytest.mark.parametrize("entropy", [0.7, 1.2, 2.5])
def test_temperatures_are_chosen_until_they_bracket_the_melting_point(melting_point, entropy):
    points: list[PinnedPoint] = []
    temperature: float | None = 926.0
    while temperature is not None:
        difference = entropy * 8.617e-5 * (temperature - melting_point - 0.01)
        points.append(PinnedPoint(round(temperature, 1), Estimate(difference, 1e-4), drifts=False))
        temperature = next_temperature(points, PinningConfig(), (600, 1500))
    below, above = min(p.temperature for p in points), max(p.temperature for p in points)
    assert below < melting_point + 0.02 < above
    assert len(points) <= 4
    assert root_of(points).root.value == pytest.approx(melting_point, abs=0.5)


def test_pinning_says_where_the_melting_point_is_not():
    low = [
        PinnedPoint(980, Estimate(-0.01, 1e-4), drifts=False),
        PinnedPoint(1000, Estimate(-0.008, 1e-4), drifts=False),
    ]
    with pytest.raises(SamplingError, match=r"above 1000 K, where the bracket .* ends: -10\.00 meV/atom at 980 K"):
        next_temperature(low, PinningConfig(), (800, 1000))
    with pytest.raises(SamplingError, match="no change of sign within 2"):
        next_temperature(low, PinningConfig(most_temperatures=2), (800, 2000))
    with pytest.raises(SamplingError, match="lie on one side of the melting point, which would be at 1080 K"):
        root_of(low)
    with pytest.raises(SamplingError, match="does not lose stability on heating"):
        root_of(
            [PinnedPoint(900, Estimate(0.01, 1e-4), drifts=False), PinnedPoint(1000, Estimate(0.0, 1e-4), drifts=False)]
        )
    with pytest.raises(SamplingError, match="at least two temperatures"):
        root_of(low[:1])


def test_given_temperatures_are_all_measured():
    settings = PinningConfig(temperatures=[900, 950, 1000])
    points = [
        PinnedPoint(900, Estimate(-0.01, 1e-4), drifts=False),
        PinnedPoint(950, Estimate(0.01, 1e-4), drifts=False),
    ]
    assert next_temperature(points, settings, (800, 1100)) == 1000
    assert next_temperature([*points, points[0]], settings, (800, 1100)) is None


def test_starts_follow_the_phase_that_is_left():
    bracket = Bracket(600, 1400)
    assert bracket.next_guess(PhaseLostError("liquid", 1000, "here", adiabatic=True), 1050) == pytest.approx(970)
    assert bracket.next_guess(PhaseLostError("solid", 800, "here", adiabatic=True), 700) == pytest.approx(824)
    assert bracket.next_guess(PhaseLostError("liquid", 970, "here"), 970) == pytest.approx(885)
    assert Bracket(600, 1400).next_guess(PhaseLostError("liquid", 1100, "here", adiabatic=True), 1060) < 1060
    with pytest.raises(SamplingError, match="the melting point is above 970 K; give other `temperatures`"):
        bracket.next_guess(PhaseLostError("solid", 980, "here", adiabatic=True), 900)
    with pytest.raises(SamplingError, match="the melting point is below 600 K"):
        Bracket(600, 1400).next_guess(PhaseLostError("liquid", 590, "here", adiabatic=True), 650)


def test_crystal_that_grows_past_the_field_is_refused():
    order = np.full(20, 0.5)
    check_in_phase(np.linspace(0.52, 0.58, 20), order, 0.3, "here")
    with pytest.raises(
        SamplingError, match=r"here: 7. % of the cell are solid, .* that of 50 %: crystal grew out of phase"
    ):
        check_in_phase(np.linspace(0.52, 0.82, 20), order, 0.3, "here")
