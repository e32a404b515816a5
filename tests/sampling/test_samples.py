"""Which rows results are made from."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from in_memory import draw_samples
from two_phase import TwoPhase
from unnp.errors import SamplingError
from unnp.sampling.samples import production

MODEL = TwoPhase()


def with_updates(updates: np.ndarray, **header: object):
    return dataclasses.replace(draw_samples(MODEL, len(updates), 1, walkers=1, **header), updates=updates)


def test_frozen_bias_loses_only_the_burn_in_of_each_walker():
    kept = production(draw_samples(MODEL, 1000, 1), 0.2)
    assert np.bincount(kept.walker).tolist() == [800, 800]
    assert kept.step.min() == 2000
    assert not kept.notes


def test_rows_before_the_freeze_are_left_out():
    updates = np.concatenate([np.arange(600) // 3, np.full(400, 200)])
    assert production(with_updates(updates), 0.0).step.min() == 6000


def test_bias_that_never_froze_is_noted_or_refused():
    updates = np.arange(1000) // 30  # rows between updates do not make a frozen bias
    kept = production(with_updates(updates), 0.1)
    assert len(kept) == 900
    assert "still updated, 30 times" in kept.notes[0]
    with pytest.raises(SamplingError, match="Freeze it"):
        production(with_updates(updates, mode="wl", needs_freezing=True), 0.1)


def test_too_few_rows_are_refused():
    with pytest.raises(SamplingError, match="90 rows are left"):
        production(draw_samples(MODEL, 100, 1, walkers=1), 0.1)


def test_run_that_stands_still_is_refused():
    samples = draw_samples(MODEL, 500, 1)
    with pytest.raises(SamplingError, match="did not move"):
        production(dataclasses.replace(samples, enthalpy=np.full(1000, -300.0)), 0.1)
