"""Averages against closed forms, at temperatures and pressures other than those of the run."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from in_memory import draw_samples
from two_phase import BOLTZMANN, NKTV2P, TwoPhase
from unnp.errors import SamplingError
from unnp.sampling.config import AnalysisConfig
from unnp.sampling.report import analyse
from unnp.sampling.reweighting import log_sum_exp, log_weights
from unnp.sampling.support import effective_fraction, supported_range

MODEL = TwoPhase(pressure=20000.0, expansion=(2.0, 1.5), persistence=0.9)


def test_weight_is_the_formula():
    samples = draw_samples(MODEL, 50, 1)
    b0, b = 1 / (BOLTZMANN * 900), 1 / (BOLTZMANN * 700)
    pressure = 0.03
    expected = b0 * (samples.enthalpy + samples.bias) - b * (samples.energy + pressure * samples.volume)
    np.testing.assert_allclose(log_weights(samples, 700, pressure), expected, rtol=1e-14)
    own = b0 * (samples.enthalpy + samples.bias) - b * samples.enthalpy
    np.testing.assert_allclose(log_weights(samples, 700), own, rtol=1e-14)


def test_averages_agree_with_closed_forms_within_their_errors():
    samples = draw_samples(MODEL, 8000, 3)
    settings = AnalysisConfig(burn_in=0, temperatures=[700, 800, 1000, 1200, 1350])
    deviations = []
    for row in analyse(samples, settings).thermal.listed:
        assert row.values is not None, row.refusal
        enthalpy, capacity = MODEL.average_enthalpy(row.temperature)
        phase = 1 if row.temperature < 900 else 0
        volume = MODEL.volumes(row.temperature)[phase]
        expected = {
            "enthalpy": enthalpy,
            "volume": volume,
            "energy": enthalpy - 20000 / NKTV2P * volume,
            "heat_capacity": BOLTZMANN * (capacity + 1.5),
        }
        deviations += [(row.values[k].value - v) / row.values[k].error for k, v in expected.items()]
        assert row.values["enthalpy"].error < 1e-3
        assert row.values["heat_capacity"].error < 0.1 * BOLTZMANN
    assert np.abs(deviations).max() < 4
    assert 0.6 < np.sqrt(np.mean(np.square(deviations))) < 1.5


def test_averages_at_another_pressure():
    change = 0.3  # GPa
    samples = draw_samples(TwoPhase(pressure=0.0), 8000, 3)
    row = analyse(samples, AnalysisConfig(burn_in=0, temperatures=[800], pressure=change)).thermal.listed[0]
    assert row.values is not None
    p = change / 160.21766
    model = TwoPhase()
    # Gaussian volumes: <V>_P = <V> - P var / k T
    volume = model.volume[1] - p * model.noise**2 / (BOLTZMANN * 800) / 108
    assert row.values["volume"].value == pytest.approx(volume, abs=4 * row.values["volume"].error)
    assert abs(volume - model.volume[1]) > 10 * row.values["volume"].error  # the pressure is seen
    energy = model.enthalpies(800)[1]
    assert row.values["energy"].value == pytest.approx(energy, abs=4 * row.values["energy"].error)


@pytest.mark.parametrize("n_atoms", [32, 4000])
def test_supported_range_ends_with_what_was_sampled(n_atoms):
    ladder = tuple(np.linspace(700.0, 1200.0, 12 if n_atoms < 100 else 80))
    samples = draw_samples(TwoPhase(n_atoms=n_atoms, ladder=ladder), 20000, 1)
    low, high = supported_range(samples, None, 0.005)
    thermal = 1 / np.sqrt(1.5 * n_atoms)  # the relative change of T that moves <H> by one standard deviation
    step = 0.012  # of the scan, relative
    assert 700 * (1 - thermal - step) < low <= 700 * (1 + step)
    assert 1200 * (1 - step) <= high < 1200 * (1 + thermal + step)


def test_temperature_outside_is_refused_with_the_reason():
    analysis = analyse(draw_samples(MODEL, 2000, 1), AnalysisConfig(temperatures=[300, 900, 1600, 4000]))
    refused = {row.temperature: row.refusal for row in analysis.thermal.listed if row.values is None}
    assert set(refused) == {300, 1600, 4000}
    assert "effective sample size" in refused[4000]
    assert {r["temperature"] for r in analysis.to_dict()["averages_per_atom"] if "refusal" in r} == set(refused)


def test_unbiased_noise_supports_nothing():
    samples = draw_samples(MODEL, 2000, 1)
    rng = np.random.default_rng(1)
    with pytest.raises(SamplingError, match="support no temperature"):
        analyse(dataclasses.replace(samples, bias=30 * rng.standard_normal(len(samples))), AnalysisConfig())


def test_pressure_is_refused_at_constant_volume():
    samples = draw_samples(TwoPhase(pressure=None), 2000, 1)
    with pytest.raises(SamplingError, match="constant volume"):
        analyse(samples, AnalysisConfig(pressure=1.0))
    assert analyse(samples, AnalysisConfig()).to_dict()["pressure"] is None


def test_sums_of_exponentials_do_not_overflow():
    logs = np.array([5000.0, 5000.0, -5000.0])
    assert log_sum_exp(logs) == pytest.approx(5000 + np.log(2), rel=1e-15)
    assert log_sum_exp(np.array([])) == -np.inf
    assert effective_fraction(logs) == pytest.approx(2 / 3)
