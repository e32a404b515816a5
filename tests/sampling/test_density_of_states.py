"""Density of states, entropy and microcanonical temperature against the closed form."""

from __future__ import annotations

import numpy as np
import pytest
from in_memory import draw_samples
from two_phase import BOLTZMANN, TwoPhase
from unnp.errors import SamplingError
from unnp.sampling.blocks import make_blocks
from unnp.sampling.config import AnalysisConfig
from unnp.sampling.density_of_states import density_of_states


def states_of(model: TwoPhase, n: int, **settings: object):
    samples = draw_samples(model, n, 4)
    blocks = make_blocks(samples)
    return density_of_states(samples, blocks, blocks.multiplicities(100, 1), AnalysisConfig.model_validate(settings))


def one_phase(n_atoms: int, ladder: tuple[float, ...]) -> TwoPhase:
    """A model whose two phases are the same."""
    return TwoPhase(n_atoms=n_atoms, latent=0.0, nu=(1.5, 1.5), ladder=ladder, persistence=0.9)


@pytest.mark.parametrize("n_atoms", [32, 108, 2000])
def test_entropy_and_temperature_of_one_phase(n_atoms):
    model = one_phase(n_atoms, tuple(np.linspace(800.0, 1000.0, 12 if n_atoms < 1000 else 40)))
    states = states_of(model, 10000)
    exact = model.log_density(states.enthalpy)
    fullest = int(np.nanargmin(states.entropy_error))
    inner = slice(3, -3)
    difference = states.entropy - exact - (states.entropy - exact)[fullest]
    known = states.entropy_error > 0  # all but the bin that errors are relative to
    z = (difference / np.where(known, states.entropy_error, 1))[inner]
    assert np.abs(z).max() < 5
    assert np.sqrt(np.mean(z**2)) < 1.7
    assert np.median(states.entropy_error) < 0.3  # of an S / k that spans tens to hundreds
    assert exact[-1] - exact[0] > 50 * np.median(states.entropy_error)
    d = 1e-3
    slope = (model.log_density(states.enthalpy + d) - model.log_density(states.enthalpy - d)) / (2 * d)
    z = (states.temperature - 1 / (BOLTZMANN * slope)) / states.temperature_error
    assert np.sqrt(np.mean(z[inner] ** 2)) < 1.7
    assert np.median(states.temperature_error / states.temperature) < 0.03


def test_wide_bins_do_not_tilt_the_entropy():
    model = one_phase(108, tuple(np.linspace(500.0, 1500.0, 30)))
    states = states_of(model, 20000, enthalpy_bins=16)  # n changes by 8 to 31 powers of e within a bin
    difference = states.entropy - model.log_density(states.enthalpy)
    assert np.ptp(difference[2:-2]) < 0.5


def test_entropy_through_the_transition():
    model = TwoPhase(persistence=0.9)
    states = states_of(model, 20000)
    above = states.enthalpy > model.ground.max() + 1
    difference = (states.entropy - model.log_density(np.maximum(states.enthalpy, model.ground.max() + 1)))[above]
    assert np.ptp(difference[3:-3]) < 1.0  # of 300
    assert (np.diff(states.temperature) < -1).any()  # the loop of a small system


def test_density_over_order_sums_to_the_entropy():
    states = states_of(TwoPhase(persistence=0.9), 10000, order_bins=30)
    assert states.log_density.shape == (len(states.enthalpy), 30)
    assert states.log_density.max() == 0
    summed = np.log(np.exp(states.log_density).sum(1))
    np.testing.assert_allclose(summed - summed[0], states.entropy, atol=1e-9 * np.ptp(states.entropy))


def test_too_few_samples_are_refused():
    with pytest.raises(SamplingError, match="neighbouring bins"):
        states_of(TwoPhase(), 60)
