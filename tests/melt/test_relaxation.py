"""Melting points from series that relax and wander slowly, made with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from unnp.errors import SamplingError
from unnp.workflows.melt.coexistence.relaxation import Relaxed, relaxed, slow_deviation

N_ATOMS, MELTING_POINT = 2880, 925.0


def estimate(runs) -> Relaxed:
    return relaxed(runs, slow_deviation(MELTING_POINT, N_ATOMS), 0.03 * MELTING_POINT)


def wandering(
    rng: np.random.Generator, start: float, tau: float, duration: float, heat_capacity: float = 3.7
) -> tuple[np.ndarray, np.ndarray]:
    """Return times and temperatures of two phases at constant enthalpy: relaxation, slow fluctuation, noise of rows.

    Args:
        start: temperature at the beginning [K].
        tau: relaxation time [ps].
        duration: [ps].
        heat_capacity: per atom [k].
    """
    time = np.arange(0, duration, 0.4)
    sigma, keep = MELTING_POINT / np.sqrt(heat_capacity * N_ATOMS), np.exp(-0.4 / tau)
    slow, value = np.empty(len(time)), start - MELTING_POINT
    for k in range(len(time)):
        slow[k] = value
        value = keep * value + sigma * np.sqrt(1 - keep**2) * rng.normal()
    return time, MELTING_POINT + slow + 5 * rng.normal(size=len(time))


def found(rng: np.random.Generator, starts: list[float], tau: float, duration: float, n: int = 60) -> list[Relaxed]:
    return [estimate([wandering(rng, start, tau, duration) for start in starts]) for _ in range(n)]


@pytest.mark.parametrize("tau", [6, 15, 40])
@pytest.mark.parametrize("starts", [[950.0], [900.0, 930.0]])
def test_the_error_covers_a_start_that_is_off(tau, starts):
    results = found(np.random.default_rng(3), starts, tau, 100)
    pulls = np.array([(r.value - MELTING_POINT) / r.error for r in results])
    assert (np.abs(pulls) < 2).mean() > 0.88
    assert 0.4 < pulls.std() < 1.3
    assert abs(pulls.mean()) < 0.5


def test_a_short_run_far_off_is_uncertain_where_block_averages_are_sure():
    """The case that went wrong: 50 ps from 25 K off, with a relaxation time of 40 ps."""
    rng = np.random.default_rng(4)
    series = [wandering(rng, 950, 40, 50) for _ in range(40)]
    blocks = np.array([run[1][45:].reshape(8, 10).mean(1) for run in series])  # of 4 ps, after 18 ps
    off, error = blocks.mean(1) - MELTING_POINT, blocks.std(1, ddof=1) / np.sqrt(8)
    assert (np.abs(off) < 2 * error).mean() < 0.5
    results = [estimate([run]) for run in series]
    assert np.mean([abs(r.value - MELTING_POINT) < 2 * r.error for r in results]) > 0.88


def test_longer_and_more_runs_are_more_certain():
    rng = np.random.default_rng(5)
    one, long, two = (found(rng, s, 12, d, 15) for s, d in [([935.0], 60), ([935.0], 240), ([935.0, 925.0], 60)])
    one_error, long_error, two_error = (np.mean([r.error for r in results]) for results in (one, long, two))
    assert long_error < 0.65 * one_error
    assert two_error < 0.85 * one_error


def test_the_relaxation_time_is_found():
    rng = np.random.default_rng(6)
    results = [estimate([wandering(rng, 935, 12, 400, heat_capacity=3)]) for _ in range(20)]
    assert np.exp(np.mean([np.log(r.time) for r in results])) == pytest.approx(12, rel=0.2)


def test_the_known_fluctuation():
    assert slow_deviation(925, 2880) == pytest.approx(925 / np.sqrt(8640))


def test_few_rows_have_no_error_bar():
    with pytest.raises(SamplingError, match="7 rows of output are too few"):
        estimate([(np.arange(7.0), np.full(7, 900.0))])


def test_a_constant_series_is_no_crash():
    assert estimate([(np.arange(20.0), np.full(20, 900.0))]).value == pytest.approx(900)
