"""The drift of a bias, and what a phase still lacks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from unnp.errors import LammpsError
from unnp.units import BOLTZMANN_EV_PER_K
from unnp.workflows.momt.gates import bias_drift, half_run_drift

KT = 900 * BOLTZMANN_EV_PER_K


def opes(free: np.ndarray) -> dict:
    umbrellas = np.linspace(0, 1, free.shape[1]).tolist() if free.shape[1] > 1 else []
    bias = {"umbrellas": umbrellas, "free_energies": (KT * free).tolist()}
    return {"mode": "opes", "temperature": 900, "bias": bias}


def test_a_constant_is_no_drift() -> None:
    free = np.random.default_rng(0).normal(size=(4, 5))
    assert bias_drift(opes(free), opes(free + 3.0)) == pytest.approx(0.0, abs=1e-12)


def test_the_drift_of_opes_is_that_of_its_marginals() -> None:
    free = np.zeros((3, 4))
    moved = free + np.array([0.0, 0.0, 0.7])[:, None]
    # of the temperatures, (0, 0, 0.7) about its median; umbrellas all move alike
    assert bias_drift(opes(free), opes(moved)) == pytest.approx(0.7)
    assert bias_drift(opes(free), opes(free + np.array([0.0, 0.0, 0.0, 0.4]))) == pytest.approx(0.4)
    assert bias_drift(opes(free[:, :1]), opes(moved[:, :1])) == pytest.approx(0.7)


def test_temperatures_without_umbrellas() -> None:
    def bridged(cold: float, warm: list[float]) -> dict:
        state = opes(np.zeros((2, 3)))
        state["bias"]["free_energies"] = [[KT * cold], (KT * np.array(warm)).tolist()]
        return state

    before = bridged(0.0, [1.0, 1.0, 1.0, 0.5])  # three umbrellas and none
    assert bias_drift(before, bridged(0.0, [1.0, 1.0, 1.6, 0.5])) == pytest.approx(0.6)
    assert bias_drift(before, bridged(1.4, [1.0, 1.0, 1.0, 0.5])) == pytest.approx(0.7)


def test_umbrellas_out_of_reach_do_not_count() -> None:
    free = np.zeros((3, 4))
    free[:, 3] = 40.0
    moved = free.copy()
    moved[:, 3] = 30.0
    assert bias_drift(opes(free), opes(moved)) == pytest.approx(0.0, abs=1e-9)


def test_the_drift_of_wt_and_wl() -> None:
    def wt(hills: list[float]) -> dict:
        learnt = {"mean_potential": (KT * np.array(hills)).tolist()}
        bias = {"temperatures": {"free_energies": [[0.0], [0.1], [0.2]]}, "hills": learnt}
        return {"mode": "wt", "temperature": 900, "bias": bias}

    assert bias_drift(wt([5, 5, 5, 0]), wt([6, 6, 6.5, 0])) == pytest.approx(0.5)

    heights = np.arange(7.0)[:, None] + 2 * np.arange(6.0)  # a spline whose coefficients are linear is linear

    def wl(coefficients: np.ndarray, visits: list[list[int]]) -> dict:
        bias = {"mean_log_density": coefficients.tolist(), "visits": visits}
        return {"mode": "wl", "temperature": 900, "bias": bias}

    everywhere = np.ones((4, 3), dtype=int).tolist()
    # at the centres of four rows the change is 0.1 times 1.5, 2.5, 3.5, 4.5: 0.15 to either side of the median
    moved = heights + 0.1 * np.arange(7.0)[:, None]
    assert bias_drift(wl(heights, everywhere), wl(moved, everywhere)) == pytest.approx(0.15)
    two_rows = [[1, 1, 1], [1, 1, 1], [0, 0, 0], [0, 0, 0]]
    assert bias_drift(wl(heights, two_rows), wl(moved, two_rows)) == pytest.approx(0.05)


def test_half_a_run_is_compared_with_the_whole(tmp_path: Path) -> None:
    for n in range(1, 5):
        (tmp_path / f"state.{n}.json").write_text(json.dumps(opes(np.array([[0.0], [0.0], [0.1 * n]]))))
    assert half_run_drift(tmp_path, 1) is None
    assert half_run_drift(tmp_path, 4) == pytest.approx(0.2)
    (tmp_path / "state.2.json").write_text("{")
    with pytest.raises(LammpsError, match="cannot be read"):
        half_run_drift(tmp_path, 4)
