"""Melting points against closed forms, coverage of their errors, and refusals."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from in_memory import draw_samples
from two_phase import BOLTZMANN, TwoPhase
from unnp.sampling.config import AnalysisConfig
from unnp.sampling.melting import Melting
from unnp.sampling.report import analyse

MODEL = TwoPhase(pressure=20000.0, expansion=(2.0, 1.5))


def melting_of(samples, **settings: object) -> Melting:
    analysis = analyse(samples, AnalysisConfig.model_validate({"burn_in": 0, **settings}))
    assert analysis.transition.melting is not None, analysis.transition.refusal
    return analysis.transition.melting


def exact(model: TwoPhase) -> dict[str, float]:
    tm = model.melting()
    latent, volume = -np.diff(model.enthalpies(tm))[0], -np.diff(model.volumes(tm))[0]
    return {
        "temperature": tm,
        "latent_heat": latent,
        "volume_change": volume,
        "slope": latent / (tm * volume),
        "energy_change": latent - 20000 / 1602176.6 * volume,
    }


def test_everything_at_the_melting_point_within_its_error():
    found = melting_of(draw_samples(MODEL, 10000, 5))
    for name, value in exact(MODEL).items():
        estimate = getattr(found, name)
        assert abs(estimate.value - value) < 4 * estimate.error, name
    assert found.temperature.error < 3
    assert found.latent_heat.error < 1e-3
    assert 0.2 < found.phases.dividing < 0.4
    assert found.phases.liquid == pytest.approx(0.05, abs=0.03)
    assert found.phases.solid == pytest.approx(0.6, abs=0.05)


def test_curve_is_the_free_energy_difference():
    curve = melting_of(draw_samples(MODEL, 10000, 5)).curve
    expected = np.array([MODEL.difference(t) for t in curve.temperatures])
    assert len(curve.temperatures) > 30
    assert (np.abs(curve.difference - expected) < 4.5 * curve.error).all()
    assert np.abs(curve.error).max() < 0.1  # eV of the whole cell, of differences up to several


def test_slope_agrees_with_melting_points_at_two_pressures():
    model = TwoPhase(noise=25.0, persistence=0.95)
    samples = draw_samples(model, 10000, 2)
    change = 0.25  # GPa
    low, high = (melting_of(samples, pressure=p) for p in (-change, change))
    p = change / 160.21766
    assert high.temperature.value == pytest.approx(model.melting(p), abs=4 * high.temperature.error)
    assert low.temperature.value == pytest.approx(model.melting(-p), abs=4 * low.temperature.error)
    slope = melting_of(samples).slope
    assert slope is not None
    # the difference quotient is of the same samples: it differs by its own curvature and by Tm(P0)'s error only
    assert 2 * p / (high.temperature.value - low.temperature.value) == pytest.approx(slope.value, rel=0.02)


def test_error_of_the_melting_point_covers_the_truth():
    model = TwoPhase(persistence=0.97)
    truth = model.melting()
    settings = {"grid": 31, "replicas": 100, "min_passages": 4, "temperatures": [900]}
    found = [melting_of(draw_samples(model, 1500, seed), **settings).temperature for seed in range(40)]
    deviations = np.array([(e.value - truth) / e.error for e in found])
    # for 40 draws the spread is known to 11 %, the mean to 0.16
    assert 0.7 < deviations.std() < 1.35
    assert abs(deviations.mean()) < 0.45
    assert 0.5 < (np.abs(deviations) < 1).mean() < 0.85


def test_exponents_of_thousands_of_atoms():
    model = TwoPhase(n_atoms=4000, ladder=tuple(np.linspace(920.0, 960.0, 20)), noise=90.0, persistence=0.95)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = melting_of(draw_samples(model, 5000, 1))
    assert found.temperature.value == pytest.approx(model.melting(), abs=4 * found.temperature.error)
    assert found.temperature.error < 0.2


def test_given_dividing_value_is_kept_and_matters_little():
    samples = draw_samples(MODEL, 5000, 1)
    chosen = melting_of(samples, dividing_order=0.35)
    assert chosen.phases.dividing == 0.35
    assert chosen.temperature.value == pytest.approx(melting_of(samples).temperature.value, abs=0.05)


def test_one_wild_order_parameter_moves_nothing():
    samples = draw_samples(MODEL, 5000, 1)
    wild = np.where(np.arange(10000) == 4321, 50.0, samples.order)
    found, undisturbed = melting_of(dataclasses.replace(samples, order=wild)), melting_of(samples)
    assert found.temperature.value == pytest.approx(undisturbed.temperature.value, abs=0.1)
    assert found.phases.solid == pytest.approx(undisturbed.phases.solid, abs=0.02)


def test_passages_are_arrivals_not_crossings():
    samples = draw_samples(MODEL, 200, 1, walkers=1)
    phases = melting_of(draw_samples(MODEL, 5000, 1)).phases
    s = phases.dividing
    flicker = np.tile([s - 0.02, s + 0.02], 100)
    assert phases.passages(dataclasses.replace(samples, order=flicker)).sum() == 0
    back = np.concatenate([np.full(50, 0.05), flicker[:50], np.full(50, 0.6), np.full(50, 0.05)])
    assert phases.passages(dataclasses.replace(samples, order=back)).tolist() == [2]


def test_halves_and_drift():
    steady = melting_of(draw_samples(MODEL, 10000, 5))
    first, second = steady.halves
    assert first is not None
    assert second is not None
    assert abs(first - second) < 4 * 2 * steady.temperature.error
    samples = draw_samples(TwoPhase(persistence=0.5), 10000, 5)
    late, solid = samples.step > 50000, samples.order > 0.3
    shift = 0.5 * BOLTZMANN * 900  # a bias that is wrong by kT/2 in the solid during the second half
    drifting = melting_of(dataclasses.replace(samples, bias=samples.bias + np.where(late & solid, shift, 0)))
    assert drifting.drift == pytest.approx(-0.5, abs=0.25)


REFUSALS = {
    "at least 10 are needed": dataclasses.replace(MODEL, persistence=0.9999),
    "the solid .* is stable: Tm lies above": dataclasses.replace(MODEL, ladder=(500.0, 550.0, 600.0)),
    "the liquid .* is stable: Tm lies below": dataclasses.replace(MODEL, ladder=(1300.0, 1400.0, 1500.0)),
    "not separated": dataclasses.replace(MODEL, order_centres=(0.3, 0.33), order_widths=(0.1, 0.1)),
    "does not see the crystal": dataclasses.replace(MODEL, order_centres=(0.3, 0.3), order_widths=(0.0, 0.0)),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_no_melting_point_without_support(reason):
    analysis = analyse(draw_samples(REFUSALS[reason], 4000, 1), AnalysisConfig())
    assert analysis.transition.melting is None
    assert re.search(reason, analysis.transition.refusal), analysis.transition.refusal
    assert any(row.values for row in analysis.thermal.listed)  # averages need no phases


@pytest.mark.parametrize("phase", [0, 1])
def test_one_phase_alone_has_no_melting_point(phase):
    analysis = analyse(draw_samples(MODEL, 4000, 1, phases=(phase,)), AnalysisConfig())
    assert analysis.transition.melting is None
    assert (
        "separated" in analysis.transition.refusal
        or "stable" in analysis.transition.refusal
        or "visited" in analysis.transition.refusal
    )


def test_order_none_has_no_melting_point():
    analysis = analyse(draw_samples(MODEL, 4000, 1, order="none"), AnalysisConfig())
    assert "no order parameter" in analysis.transition.refusal


def test_dividing_value_outside_is_refused():
    analysis = analyse(draw_samples(MODEL, 4000, 1), AnalysisConfig(dividing_order=2.0))
    assert "outside the sampled" in analysis.transition.refusal
