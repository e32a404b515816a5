"""Frames are chosen evenly over (H, s)."""

from __future__ import annotations

import numpy as np
import pytest
from unnp.errors import SamplingError
from unnp.workflows.momt.frames.flat import select_flat


@pytest.fixture
def frames():
    rng = np.random.default_rng(1)
    return rng.normal(size=20000), np.abs(rng.normal(0.2, 0.1, size=20000))


@pytest.mark.parametrize("n_wanted", [0, 1, 137, 5000, 19999, 20000, 30000])
def test_as_many_as_wanted_each_once(frames, n_wanted):
    chosen = select_flat(*frames, n_wanted, 10, np.random.default_rng(2))
    assert len(chosen) == min(n_wanted, 20000)
    assert (np.diff(chosen) > 0).all()


def test_bins_give_all_they_have_or_the_same_number(frames):
    enthalpy, order = frames
    chosen = select_flat(enthalpy, order, 2000, (8, 5), np.random.default_rng(2))
    bounds = [[values.min(), values.max()] for values in frames]
    have = np.histogram2d(enthalpy, order, (8, 5), bounds)[0].ravel()
    given = np.histogram2d(enthalpy[chosen], order[chosen], (8, 5), bounds)[0].ravel()
    level = given.max()
    assert (given[have <= level - 1] == have[have <= level - 1]).all()
    assert (given[have >= level] >= level - 1).all()


def test_same_seed_same_frames_and_other_seed_others(frames):
    first, again, other = (select_flat(*frames, 500, 10, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first.tolist() == again.tolist() != other.tolist()


def test_choice_within_a_bin_has_no_preference():
    counts = np.zeros(50)
    for seed in range(400):
        counts[select_flat(np.zeros(50), np.zeros(50), 10, 5, np.random.default_rng(seed))] += 1
    chi_square = ((counts - 80) ** 2 / (80 * 0.8)).sum()  # 49 degrees of freedom, standard deviation 10
    assert 20 < chi_square < 85


def test_what_cannot_be_chosen_from_is_refused():
    rng = np.random.default_rng(1)
    with pytest.raises(SamplingError, match="not finite"):
        select_flat(np.array([np.nan, 1.0, 2.0]), np.zeros(3), 2, 3, rng)
    with pytest.raises(SamplingError, match="3 enthalpies and 2"):
        select_flat(np.zeros(3), np.zeros(2), 2, 3, rng)
    with pytest.raises(SamplingError, match="0 x 0 bins"):
        select_flat(np.zeros(3), np.zeros(3), 2, 0, rng)
