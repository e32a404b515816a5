"""Means of correlated series, where the answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from unnp.errors import SamplingError
from unnp.workflows.melt.pinning.block_means import block_error, mean_of


def autoregressive(rng: np.random.Generator, n: int, memory: float) -> np.ndarray:
    """Return a stationary series of variance 1 with ``<x_i x_j> = memory^|i-j|``."""
    noise = rng.normal(size=n) * np.sqrt(1 - memory**2)
    series = np.empty(n)
    series[0] = rng.normal()
    for k in range(1, n):
        series[k] = memory * series[k - 1] + noise[k]
    return series


def test_block_error_of_correlated_series():
    rng, n, memory = np.random.default_rng(5), 4096, 0.95
    exact = np.sqrt((1 + memory) / (1 - memory) / n)
    found = [block_error(autoregressive(rng, n, memory)) for _ in range(60)]
    assert np.mean(found) == pytest.approx(exact, rel=0.25)
    independent = [block_error(rng.normal(size=n)) for _ in range(60)]
    assert 1 / np.sqrt(n) < np.mean(independent) < 1.6 / np.sqrt(n)


def test_the_error_of_a_mean_covers_it():
    rng = np.random.default_rng(6)
    means = [mean_of(autoregressive(rng, 1000, 0.9)) for _ in range(200)]
    within_two = np.mean([abs(mean.value) < 2 * mean.error for mean in means])
    assert within_two > 0.85
    assert np.mean([mean.drifts for mean in means]) < 0.1


def test_a_drift_is_seen_and_counted_into_the_error():
    rng = np.random.default_rng(7)
    mean = mean_of(rng.normal(size=1000) + np.linspace(0, 20, 1000))
    assert mean.drifts
    assert mean.drift.value == pytest.approx(10, abs=0.5)
    assert mean.error >= mean.drift.value / 2


def test_few_values_have_no_error_bar():
    with pytest.raises(SamplingError, match="7 rows of output are too few"):
        mean_of(np.arange(7.0))
