"""The mean to which two phases relax, from runs that begin off it and fluctuate slowly.

At constant enthalpy the amount of crystal, and with it the temperature, wanders about its equilibrium and returns to it within
the time the interfaces need: an Ornstein-Uhlenbeck process. Its variance is known. With ``x`` the solid share, heat ``L`` and
heat capacity ``c`` per atom, ``T = T_m + (L / c) (x - x_m)`` and ``S = S_m - N L^2 (x - x_m)^2 / (2 c T_m^2)``; so
``exp(S / k)`` gives

    <(T - T_m)^2> = k T_m^2 / (N c) <= T_m^2 / (3 N)       as c is 3 k or more near melting.

That is 10 K for 3,000 atoms of a metal, and one run sees it only a few times: averages over blocks of the run miss it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unnp.errors import SamplingError
from unnp.sampling.estimate import Estimate

MOST_POINTS = 120
"""Points that a run may have; more are averaged in groups."""
FEWEST_POINTS = 8
N_TIMES, LONGEST = 40, 4.0
"""Relaxation times that are tried, and the longest in lengths of a run."""


@dataclass(frozen=True)
class Relaxed(Estimate):
    """The mean at equilibrium; its error holds the fluctuation, the relaxation from the start, and that its time is unknown.

    Attributes:
        time: relaxation time [ps], geometric mean.
    """

    time: float


def slow_deviation(temperature: float, n_atoms: int) -> float:
    """Return the standard deviation of the temperature of two phases at constant enthalpy [K], ``T / sqrt(3 N)``."""
    return float(temperature / np.sqrt(3 * n_atoms))


def relaxed(runs: Sequence[tuple[np.ndarray, np.ndarray]], deviation: float, start: float) -> Relaxed:
    """Return the mean at equilibrium from independent runs, by Bayes' theorem.

    Each series is normal with the mean m and, for a relaxation time tau, the covariance

        K(t, t') = sigma^2 exp(-|t - t'| / tau) + A^2 exp(-(t + t') / tau) + w^2 delta(t, t')

    averaged over the times between two points: sigma is the known deviation of the slow fluctuation; A, that of a start that is
    off; w the noise of a point, from the differences of neighbours beyond what sigma explains. For each tau m is the
    generalised least-squares mean; these are averaged with the probability of tau, whose logarithm is taken as equally
    likely everywhere between one point and four runs.

    Args:
        runs: times (n,) [ps], evenly spaced, and values (n,) of each.
        deviation: sigma.
        start: A.

    Raises:
        SamplingError: a run has fewer than eight rows.
    """
    grouped = [_grouped(*run) for run in runs]
    level = float(np.mean(np.concatenate([series for _, series in grouped])))
    shortest = max(float(time[1] - time[0]) for time, _ in grouped)
    taus = np.geomspace(shortest, LONGEST * max(float(time[-1]) for time, _ in grouped), N_TIMES)
    likelihood, mean, variance = np.array([_at(tau, grouped, deviation, start, level) for tau in taus]).T
    weight = np.exp(likelihood - likelihood.max())
    weight /= weight.sum()
    value = float(weight @ mean)
    spread = float(weight @ (variance + (mean - value) ** 2))
    return Relaxed(value, float(np.sqrt(spread)), float(np.exp(weight @ np.log(taus))))


def _grouped(time: np.ndarray, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a run with times from its beginning, averaged in groups."""
    if len(series) < FEWEST_POINTS:
        raise SamplingError(
            f"{len(series)} rows of output are too few for an error bar; make the run's duration longer."
        )
    size = -(-len(series) // MOST_POINTS)
    n = len(series) // size * size
    means = np.stack([time - time[0], series])[:, :n].reshape(2, -1, size).mean(2)
    return means[0], means[1]


def _at(
    tau: float, runs: Sequence[tuple[np.ndarray, np.ndarray]], sigma: float, start: float, level: float
) -> tuple[float, float, float]:
    """Return log likelihood, mean and its variance at one relaxation time."""
    likelihood = precision = moment = 0.0
    for time, series in runs:
        y = series - level
        covariance = _covariance(tau, time, y, sigma, start)
        factor = np.linalg.cholesky(covariance)
        whitened = np.linalg.solve(factor, np.column_stack([np.ones_like(y), y]))
        one, data = whitened.T
        likelihood -= float(np.log(np.diag(factor)).sum() + 0.5 * data @ data)
        precision += float(one @ one)
        moment += float(one @ data)
    likelihood += 0.5 * moment**2 / precision - 0.5 * np.log(precision)  # the mean integrated out
    return likelihood, level + moment / precision, 1 / precision


def _covariance(tau: float, time: np.ndarray, y: np.ndarray, sigma: float, start: float) -> np.ndarray:
    """Return the covariance (n, n) of averages over the time between two points."""
    h = float(time[1] - time[0]) / tau
    # Each point is an average over the time h (in units of tau) of a process with the covariance sigma^2 exp(-t / tau): the
    # double integral over two such times, which for one and the same time is that on the diagonal.
    smoothed = np.sinh(h / 2) / (h / 2)
    slow = (sigma * smoothed) ** 2 * np.exp(-np.abs(time[:, None] - time) / tau)
    np.fill_diagonal(slow, sigma**2 * 2 * (h - 1 + np.exp(-h)) / h**2)
    decay = start * smoothed * np.exp(-time / tau)
    # What neighbours differ beyond the slow part is white noise; some is always left, so that the matrix has an inverse.
    half_difference = float((np.diff(y) ** 2).mean()) / 2
    noise = max(half_difference - (slow[0, 0] - slow[0, 1]), 0.05 * half_difference, 1e-12 * sigma**2)
    return slow + np.outer(decay, decay) + noise * np.eye(len(y))
