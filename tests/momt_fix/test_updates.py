"""The bias that a run has made is the one that the oracle makes of the samples in its log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lammps_run import run_lammps
from momt_decks import aluminium, head, read_log, read_state, report, shown, thermo, updates_of, write_structure
from momt_oracle import BOLTZMANN, NKTV2P, Hills, Opes, first_guess, late_mean, umbrellas
from momt_splines import Density, Grid
from momt_systems import T0

STEPS = 60
TEMPERATURES = np.linspace(650, 1400, 10)


def run(
    folder: Path, words: str, box: str = "nve", steps: int = STEPS
) -> tuple[dict[str, Any], np.ndarray, dict[str, float]]:
    """Run 32 atoms and return header and rows of the log, and what was printed at the end."""
    write_structure(folder, aluminium((2, 2, 2)))
    press = "" if box == "nve" else "press 5000"
    deck = head() + "velocity all create 1500 4711\ntimestep 0.002\n"
    deck += f"fix momt all momt T0 {T0} temps 650 1400 10 {press} {words} log run.log 1 state s.json {steps}\n"
    deck += f"fix box all {box}\n{thermo(steps)}run {steps}\n{report('end')}"
    done = run_lammps(folder, deck, timeout=60)
    return *read_log(folder / "run.log"), shown(done, "end")


def replay(
    rows: np.ndarray, pace: int, bias: Callable[[np.ndarray], float], update: Callable[[np.ndarray], None]
) -> None:
    """Compare every row with the oracle, which learns at the steps at which the fix does."""
    for row in rows:
        if row[0] and row[0] % pace == 0:
            update(row)
        assert row[5] == pytest.approx(bias(row), abs=1e-9), f"step {row[0]:.0f}"


def _sampled(opes: Opes) -> Callable[[np.ndarray], None]:
    return lambda row: opes.update(row[3], row[4], opes.bias(row[3], row[4]))


def test_opes(tmp_path: Path) -> None:
    """First guess from what was observed, then the updates; every third step, at constant pressure."""
    words = "order sk fcc 2 2 2 mode opes free 0 pace 3 observe 5 memory 0 barrier 8 range 0 0.9 sigma 0.07"
    _, rows, end = run(tmp_path, words, "nph aniso 5000 5000 0.3")
    observed = rows[3:16:3]
    assert np.all(rows[:15, 5] == 0.0)
    centres = umbrellas(0.0, 0.9, 0.07)
    opes = Opes(T0, TEMPERATURES, np.zeros((10, len(centres))), centres, 0.07)
    opes.free_energies = first_guess(opes, observed[:, 3], observed[:, 4], 8.0)
    replay(rows[15:], 3, lambda row: opes.bias(row[3], row[4]), _unless_observing(opes, 15))
    state = read_state(tmp_path / "s.json")
    np.testing.assert_allclose(state["bias"]["free_energies"], opes.free_energies, rtol=0, atol=1e-9)
    assert updates_of(state) == end["updates"] == STEPS / 3
    assert end["rct"] == pytest.approx(opes.rct, abs=1e-10)
    assert rows[-1, 5] == end["bias"] != 0


def test_bridges(tmp_path: Path) -> None:
    """Umbrellas at some temperatures, and a share for each temperature without."""
    words = "order sk fcc 2 2 2 mode opes free 0.3 bridge 900 1250 pace 2 observe 4 memory 0 range 0 0.9 sigma 0.07"
    _, rows, _ = run(tmp_path, words)
    centres = umbrellas(0.0, 0.9, 0.07)
    opes = Opes(T0, TEMPERATURES, np.zeros((10, len(centres) + 1)), centres, 0.07, 0.3, (900, 1250))
    opes.free_energies = first_guess(opes, rows[2:9:2, 3], rows[2:9:2, 4], 10.0)
    replay(rows[8:], 2, lambda row: opes.bias(row[3], row[4]), _unless_observing(opes, 8))
    state = read_state(tmp_path / "s.json")["bias"]
    assert [len(row) for row in state["free_energies"]] == [
        len(centres) + 1 if 900 <= t <= 1250 else 1 for t in TEMPERATURES
    ]
    for row, learnt, share in zip(state["free_energies"], opes.free_energies, opes.shares, strict=True):
        np.testing.assert_allclose(row, learnt[share > 0], rtol=0, atol=1e-9)


def _unless_observing(opes: Opes, until: int) -> Callable[[np.ndarray], None]:
    return lambda row: _sampled(opes)(row) if row[0] > until else None


def test_a_short_memory(tmp_path: Path) -> None:
    """`memory M`: no sample counts less than 1 in 1 + M before the first passage."""
    words = "order none mode opes pace 1 observe 2 memory 6"
    _, rows, _ = run(tmp_path, words)
    opes = Opes(T0, TEMPERATURES, np.zeros((10, 1)))
    opes.free_energies = first_guess(opes, rows[1:3, 3], rows[1:3, 4], 0.0)

    def update(row: np.ndarray) -> None:
        if row[0] > 2:
            opes.counter = min(opes.counter, 6)
            _sampled(opes)(row)

    replay(rows[2:], 1, lambda row: opes.bias(row[3], 0.0), update)


def test_hills(tmp_path: Path) -> None:
    """The grid of splines smooths the hills; the temperatures learn under their own bias."""
    words = "order q6 3.0 4.2 mode wt pace 1 observe 0 memory 0 range 0 0.6 sigma 0.02 height 0.03 gamma 8"
    _, rows, _ = run(tmp_path, words)
    opes, hills = Opes(T0, TEMPERATURES, np.zeros((10, 1))), Hills(T0, 0.02, 0.03, 8.0)
    for row in rows:
        if row[0]:
            opes.update(row[3], 0.0, opes.bias(row[3], 0.0))
            hills.update(row[4])
        assert row[5] - opes.bias(row[3], 0.0) == pytest.approx(hills.bias(row[4]), abs=0.015 * STEPS * 0.03)
    assert hills.bias(rows[-1, 4]) > 0.3
    state = read_state(tmp_path / "s.json")["bias"]["hills"]
    grid = Grid(*state["order_grid"])
    assert grid.peaks[[1, -2]] == pytest.approx([0.0, 0.6])
    whole = [hills.bias(s) for s in grid.peaks]
    assert np.abs(np.array(state["potential"]) - whole).max() < 0.02 * np.max(whole)
    assert [state["sigma"], state["height"], state["gamma"]] == [0.02, 0.03, 8.0]


def test_density(tmp_path: Path) -> None:
    words = "order sk fcc 2 2 2 mode wl pace 2 enthalpy -103 -101 50 tilt 3 range 0 0.8 bins 16 increment 0.25"
    _, rows, _ = run(tmp_path, words)
    h, s = Grid(-103.0, -101.0, 50), Grid(0.0, 0.8, 16)
    density = Density(T0, 650, 1400, h, s, np.zeros((53, 19)), 3.0)
    replay(rows, 2, lambda row: density.bias(row[3], row[4]), lambda row: density.update(row[3], row[4], 0.25))
    # Samples beyond an end count too, and the bias goes on there.
    height = rows[:, 3] + 3 * rows[:, 4]
    assert 0 < np.sum(height > -101) < STEPS
    assert 0 < np.sum(height < -103) < STEPS
    assert 0 < np.sum(rows[:, 4] > 0.8) < STEPS
    state = read_state(tmp_path / "s.json")["bias"]
    np.testing.assert_allclose(state["log_density"], density.coefficients, rtol=0, atol=1e-10)
    assert np.sum(state["histogram"]) == STEPS / 2


def test_frozen_hills_are_their_mean_over_time(tmp_path: Path) -> None:
    words = "order sk fcc 2 2 2 mode wt pace 1 observe 0 range 0 0.9 sigma 0.05 height 0.03 gamma 8"
    _, rows, _ = run(tmp_path, f"{words} freeze 41")
    learnt = read_state(tmp_path / "s.json")["bias"]
    state = learnt["hills"]
    grid = Grid(*state["order_grid"])
    hills, history = Hills(T0, 0.05, 0.03, 8.0), []
    for row in rows[1:41]:
        hills.update(row[4])
        history.append([hills.bias(s) for s in grid.peaks])
    mean = late_mean(history)
    np.testing.assert_allclose(state["potential"], history[-1], rtol=0.02)
    np.testing.assert_allclose(state["mean_potential"], mean, rtol=0.02)
    assert np.max(history[-1] - mean) > 0.1 * np.max(mean)
    opes = Opes(T0, TEMPERATURES, np.array(learnt["temperatures"]["free_energies"]))
    for row in rows[41:]:
        frozen = opes.bias(row[3], 0.0) + grid.weights(row[4]) @ state["mean_potential"]
        assert row[5] == pytest.approx(frozen, abs=1e-9)


def test_a_frozen_density_is_the_mean_over_time(tmp_path: Path) -> None:
    words = "order sk fcc 2 2 2 mode wl pace 2 enthalpy -106 -104 50 range 0 0.8 bins 16 increment 0.25 freeze 40"
    _, rows, _ = run(tmp_path, words)
    density = Density(T0, 650, 1400, Grid(-106.0, -104.0, 50), Grid(0.0, 0.8, 16), np.zeros((53, 19)))
    history = []
    for row in rows[2:40:2]:
        density.update(row[3], row[4], 0.25)
        history.append(density.coefficients.copy())
    mean = late_mean(history)
    state = read_state(tmp_path / "s.json")["bias"]
    np.testing.assert_allclose(state["mean_log_density"], mean, rtol=0, atol=1e-10)
    assert np.abs(history[-1] - mean).max() > 0.1
    density.coefficients = mean
    replay(rows[40:], 1000, lambda row: density.bias(row[3], row[4]), lambda row: None)


def test_log(tmp_path: Path) -> None:
    """Every column of the log, beside thermo output."""
    header, rows, end = run(tmp_path, "order sk fcc 2 2 2 mode opes pace 1 observe 1", "nph aniso 5000 5000 0.3", 6)
    assert header["boltzmann"] == pytest.approx(BOLTZMANN)
    assert header["nktv2p"] == pytest.approx(NKTV2P)
    assert header["needs_freezing"] is False
    del header["boltzmann"], header["nktv2p"], header["needs_freezing"]
    expected = {"mode": "opes", "order": "sk", "temperature": T0, "pressure": 5000.0, "atoms": 32, "units": "metal"}
    assert header == expected
    names = ["pe", "vol", "H", "s", "bias", "T_eff", "dVb/ds", "updates", "round_trips"]
    assert rows[:, 0].tolist() == list(range(7))
    np.testing.assert_allclose(rows[-1, 1:], [end[name] for name in names], rtol=1e-9)
    np.testing.assert_allclose(rows[-1, 1:6], [end[name] for name in names[:5]], rtol=1e-14)
    np.testing.assert_allclose(rows[:, 3], rows[:, 1] + 5000 / NKTV2P * rows[:, 2], rtol=1e-13)


def test_freezing_and_start(tmp_path: Path) -> None:
    """After `freeze STEP` nothing changes; a frozen run from the state goes on with the same bias."""
    words = "order sk fcc 2 2 2 mode opes pace 2 observe 3 freeze 20"
    _, rows, end = run(tmp_path, words)
    assert end["updates"] == 9
    state = read_state(tmp_path / "s.json")
    assert rows[19, 8] == rows[-1, 8] == updates_of(state)
    assert rows[-1, 5] != rows[-2, 5] != 0
    (tmp_path / "start.json").write_text((tmp_path / "s.json").read_text())
    _, again, end = run(tmp_path, words.replace("freeze 20", "freeze 0 start start.json"))
    assert end["updates"] == 9
    assert read_state(tmp_path / "s.json")["bias"] == state["bias"]
    assert np.all(np.isfinite(again))
