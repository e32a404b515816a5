"""Correlation times and block-bootstrap errors of series whose statistics are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from in_memory import draw_samples
from two_phase import TwoPhase
from unnp.sampling.blocks import correlation_time, make_blocks


def autoregressive(n: int, decay: float, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(n)
    series = np.empty(n)
    series[0] = noise[0] / np.sqrt(1 - decay**2)
    for i in range(1, n):
        series[i] = decay * series[i - 1] + noise[i]
    return series


@pytest.mark.parametrize("decay", [0.0, 0.8, 0.95])
def test_correlation_time_of_an_autoregressive_series(decay):
    rng = np.random.default_rng(1)
    series = np.concatenate([autoregressive(40000, decay, rng) for _ in range(2)])
    exact = 0.5 * (1 + decay) / (1 - decay)
    assert correlation_time(series, np.repeat([0, 1], 40000)) == pytest.approx(exact, rel=0.1)


def test_walkers_stuck_in_different_phases_are_correlated_throughout():
    rng = np.random.default_rng(1)
    walker = np.repeat([0, 1], 5000)
    assert correlation_time(walker + 0.1 * rng.standard_normal(10000), walker) > 1000
    assert correlation_time(0.1 * rng.standard_normal(10000), walker) < 1


def test_constant_series_has_no_correlation():
    assert correlation_time(np.full(1000, 0.3), np.zeros(1000, dtype=int)) == 0.5


def test_blocks_cover_each_walker_in_time_order():
    samples = draw_samples(TwoPhase(), 3000, 1)
    blocks = make_blocks(samples)
    assert blocks.n_blocks >= 20
    assert (np.diff(blocks.index) >= 0).all()
    assert np.bincount(blocks.index).min() > 0
    assert not set(blocks.index[:3000]) & set(blocks.index[3000:])
    assert blocks.first_half.sum() * 2 == pytest.approx(blocks.n_blocks, abs=2)


def test_error_of_a_mean_covers_the_truth():
    rng = np.random.default_rng(2)
    empty = draw_samples(TwoPhase(), 2000, 1, walkers=1)
    deviations = []
    for seed in range(200):
        series = autoregressive(2000, 0.9, rng)
        blocks = make_blocks(dataclasses.replace(empty, order=series, enthalpy=np.zeros(2000)))
        multiplicity = blocks.multiplicities(100, seed)
        counts, totals = np.bincount(blocks.index), np.bincount(blocks.index, series)
        error = blocks.error((multiplicity @ totals) / (multiplicity @ counts))
        deviations.append(series.mean() / float(error))
    # the spread of 200 normalised deviations is known to 5 %; errors from 20 blocks add another 3 %
    assert 0.85 < np.std(deviations) < 1.2
    assert abs(np.mean(deviations)) < 0.3
