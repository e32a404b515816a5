"""Errors of correlated samples: autocorrelation time, blocks over time, bootstrap over blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unnp.sampling.samples import Samples

MIN_BLOCKS = 20
MAX_BLOCKS = 500
TIMES_PER_BLOCK = 20
WINDOW = 6
"""autocorrelations are summed to this many times their sum"""


@dataclass(frozen=True)
class Blocks:
    """A division of the samples into stretches of time, each from one walker.

    Attributes:
        index: (n,) the block of each row.
        n_blocks: how many there are.
        first_half: (n_blocks,) whether a block lies in the first half of its walker.
        correlation_time: the longer one of order parameter and enthalpy [rows].
        error_scale: factor on the spread of bootstrap replicas; see ``make_blocks``.
    """

    index: np.ndarray
    n_blocks: int
    first_half: np.ndarray
    correlation_time: float
    error_scale: float

    @property
    def n_independent(self) -> float:
        """Number of independent samples, ``n / 2 tau``."""
        return len(self.index) / (2 * self.correlation_time)

    def multiplicities(self, replicas: int, seed: int) -> np.ndarray:
        """Return how often each block is in each bootstrap replica, (replicas, n_blocks)."""
        rng = np.random.default_rng(seed)
        return rng.multinomial(self.n_blocks, np.full(self.n_blocks, 1 / self.n_blocks), size=replicas).astype(float)

    def error(self, replicas: np.ndarray) -> np.ndarray:
        """Return standard errors from bootstrap replicas, first axis; what is not finite in a replica is left out."""
        finite = np.where(np.isfinite(replicas), replicas, np.nan)
        count = np.isfinite(finite).sum(0)
        mean = np.nansum(finite, axis=0) / np.maximum(count, 1)
        variance = np.nansum((finite - mean) ** 2, axis=0) / np.maximum(count, 1)
        return self.error_scale * np.sqrt(np.where(count > 1, variance, np.nan))


def correlation_time(series: np.ndarray, walker: np.ndarray) -> float:
    """Return the integrated autocorrelation time ``tau = 1/2 + sum_{t=1}^{M} c(t)`` [rows].

    The sum ends at the first M >= 6 tau (Sokal, in Functional Integration, 131 (1997)). The mean is that of all walkers, so
    that a walker that never leaves its phase counts as correlated throughout. The variance of a mean is ``2 tau var / n``.

    Args:
        series: (n,) any observable.
        walker: (n,) walker of each row.
    """
    deviation = series - series.mean()
    parts = [deviation[walker == w] for w in np.unique(walker)]
    longest = max(map(len, parts))
    covariance = np.zeros(longest)
    for part in parts:
        size = 1 << (2 * len(part) - 1).bit_length()
        spectrum = np.abs(np.fft.rfft(part, size)) ** 2
        covariance[: len(part)] += np.fft.irfft(spectrum, size)[: len(part)]
    if covariance[0] <= len(series) * np.finfo(float).eps * max(1.0, float(np.square(series).mean())):
        return 0.5
    times = np.cumsum(covariance / covariance[0]) - 0.5
    ends = np.flatnonzero(np.arange(longest) >= WINDOW * times)
    return max(0.5, float(times[ends[0]] if len(ends) else times.max()))


def make_blocks(samples: Samples) -> Blocks:
    """Divide each walker's rows into equal blocks of about 20 correlation times, but at least 20 blocks in all.

    Replicas are made of whole blocks drawn with replacement. Their spread is too small by

        sqrt[(1 - 1/B) (1 - (1 - exp(-x)) / x)] ,   x = block length / tau

    for B blocks of exponentially correlated samples; ``error_scale`` is the inverse of that.
    """
    walkers, lengths = np.unique(samples.walker, return_counts=True)
    tau = max(correlation_time(samples.order, samples.walker), correlation_time(samples.enthalpy, samples.walker))
    n = len(samples)
    length = min(max(TIMES_PER_BLOCK * tau, n / MAX_BLOCKS, 1.0), n / MIN_BLOCKS)
    index, halves, total = np.empty(n, dtype=int), [], 0
    for walker, n_rows in zip(walkers, lengths, strict=True):
        count = min(n_rows, max(2, round(n_rows / length)))
        index[samples.walker == walker] = total + np.arange(n_rows) * count // n_rows
        halves.append(np.arange(count) + 0.5 < count / 2)
        total += count
    x = n / total / tau
    shortfall = (1 - 1 / total) * (1 + np.expm1(-x) / x)
    return Blocks(index, int(total), np.concatenate(halves), tau, float(shortfall**-0.5))
