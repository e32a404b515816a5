"""A run that stops and continues is the run that did not stop, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lammps_run import Run, read_dump, run_lammps
from momt_decks import (
    aluminium,
    eam,
    head,
    read_log,
    read_state,
    report,
    show,
    shown,
    thermo,
    updates_of,
    write_structure,
)
from momt_oracle import Opes, first_guess, umbrellas
from momt_systems import T0, TEMPERATURES

SETTINGS = "T0 900 temps 650 1400 12"
MODES = {
    "observing": "mode opes pace 2 observe 10 range 0 0.9",
    "opes": "mode opes pace 2 observe 3 range 0 0.9 barrier 30",
    "wt": "mode wt pace 2 sigma 0.03 height 0.02 gamma 40",
    "wl": "mode wl pace 2 enthalpy {low} {high} 50 bins 20 increment 0.1",
    "tilted": "mode wl pace 2 enthalpy {low} {high} 50 bins 20 increment 0.1 tilt 3",
    "frozen": "mode wt pace 2 sigma 0.03 height 0.02 gamma 40 freeze 22",
}
LOW, HIGH = -110.0, -90.0
CASES = [
    ("opes", "sk fcc 2 2 2", "nve"),
    ("opes", "sk fcc 2 2 2", "nph"),
    ("opes", "q6 3.0 4.2", "nph"),
    ("observing", "sk fcc 2 2 2", "nve"),
    ("wt", "sk fcc 2 2 2", "nve"),
    ("wt", "sk fcc 2 2 2", "nph"),
    ("wl", "sk fcc 2 2 2", "nve"),
    ("wl", "sk fcc 2 2 2", "nph"),
    ("tilted", "sk fcc 2 2 2", "nve"),
    ("frozen", "fk fcc 2 2 2", "nve"),
]
HALF = 15


def _fix(mode: str, order: str, box: str, extra: str = "", name: str = "momt") -> str:
    press = "press 0" if box == "nph" else ""
    words = MODES[mode].format(low=LOW, high=HIGH)
    fix = f"fix {name} all momt {SETTINGS} {press} order {order} {words} {extra}\n"
    return fix + ("fix box all nph iso 0 0 0.1\n" if box == "nph" else "fix box all nve\n")


def _finish(name: str) -> str:
    """Return the commands after the fixes of the second half."""
    out = f"dump {name} all custom {HALF} {name}.dump id type x y z vx vy vz fx fy fz\n"
    out += f"dump_modify {name} sort id format float %.17g\n"
    return f"{out}run {HALF}\nundump {name}\n{report(name)}"


def _deck(mode: str, order: str, box: str) -> str:
    start = "velocity all create 1500 4711\ntimestep 0.002\n"
    through = head() + start + _fix(mode, order, box, "state through.json 10") + thermo(5)
    through += f"run {HALF}\nwrite_restart half.restart\n" + report("half") + _finish("through")
    again = f"clear\nread_restart half.restart\n{eam()}neighbor 1.0 bin\nneigh_modify every 1 delay 0 check yes\n"
    again += "timestep 0.002\n" + _fix(mode, order, box, "state again.json 10") + thermo(5) + _finish("again")
    return through + again


@pytest.fixture(scope="module", params=CASES, ids=lambda c: f"{c[0]}-{c[1].split()[0]}-{c[2]}")
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("restart")
    write_structure(folder, aluminium((2, 2, 2)))
    return run_lammps(folder, _deck(*request.param), timeout=60)


def test_binary_restart(run: Run) -> None:
    through, again = read_dump(run.folder / "through.dump"), read_dump(run.folder / "again.dump")
    # LAMMPS' fix nph by itself continues from a restart file with other last digits for one seed in twelve.
    tolerance = 1e-11 if "nph" in run.output.split("timestep 0.002")[-1] else 0.0
    for name, column in through.columns.items():
        np.testing.assert_allclose(again[name], column, rtol=0, atol=tolerance, err_msg=name)
    np.testing.assert_allclose(run.printed("again"), run.printed("through"), rtol=tolerance, atol=tolerance)
    assert np.isfinite(run.printed("again")).all()


def test_the_bias_grew_in_both_halves(run: Run, request: pytest.FixtureRequest) -> None:
    half, whole = run.printed("half"), run.printed("through")
    assert 5 <= half[15] <= 8
    mode = request.node.callspec.params["run"][0]
    updates = {3} if mode == "frozen" else {7, 8}
    assert whole[15] - half[15] in updates
    assert whole[8] != 0


@pytest.mark.parametrize("mode", MODES)
def test_text_state(mode: str, tmp_path: Path) -> None:
    """`start` gives the bias that `state` wrote, to the last bit, to a fix that no restart file knows."""
    write_structure(tmp_path, aluminium((2, 2, 2)))
    deck = head() + "velocity all create 1500 4711\ntimestep 0.002\n"
    deck += _fix(mode, "sk fcc 2 2 2", "nve", f"state s.json {HALF}") + thermo(5)
    deck += f"run {HALF}\nwrite_restart half.restart\n" + _finish("through")
    first = run_lammps(tmp_path, _keep(deck), timeout=60)
    again = f"read_restart half.restart\n{eam()}neighbor 1.0 bin\nneigh_modify every 1 delay 0 check yes\n"
    again += "timestep 0.002\n" + _fix(mode, "sk fcc 2 2 2", "nve", "start half.json", "other")
    again += thermo(5).replace("f_momt", "f_other") + _finish("again").replace("f_momt", "f_other")
    second = run_lammps(tmp_path, again, timeout=60)
    assert updates_of(read_state(tmp_path / "half.json")) == first.printed("half")[15] > 0
    np.testing.assert_array_equal(second.printed("again")[:-1], first.printed("through")[:-1])


def _keep(deck: str) -> str:
    """Return a deck that copies the state that it wrote half-way, and prints the values there."""
    place = "write_restart half.restart\n"
    return deck.replace(place, f"{place}shell cp s.json half.json\n{report('half')}")


def test_setup_takes_no_sample(tmp_path: Path) -> None:
    """Short runs one after the other give the updates of one run."""
    write_structure(tmp_path, aluminium((2, 2, 2)))
    deck = ""
    for name, runs in {"one": "run 12\n", "many": "run 3\nrun 0\nrun 4\nrun 5\n"}.items():
        deck += "clear\n" + head() + "velocity all create 1500 4711\ntimestep 0.002\n"
        deck += _fix("opes", "sk fcc 2 2 2", "nve") + thermo(1) + runs + report(name)
    run = run_lammps(tmp_path, deck, timeout=60)
    np.testing.assert_allclose(run.printed("many"), run.printed("one"), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("steps", [15, 0])
def test_observing_less_than_was_observed(steps: int, tmp_path: Path) -> None:
    """What was observed before makes the first guess; if that is nothing, it is as if the run began with `observe 0`."""
    write_structure(tmp_path, aluminium((2, 2, 2)))
    words = (
        "fix momt all momt T0 900 temps 650 1400 12 order sk fcc 2 2 2 mode opes free 0 pace 2 range 0 0.9 sigma 0.07 "
    )
    words += "barrier 8 memory 0 observe "
    deck = head() + "velocity all create 1500 4711\ntimestep 0.002\n" + words + "10 state s.json 1 log a.log 1\n"
    deck += f"fix box all nve\nrun {steps}\nunfix momt\n"
    deck += f"{words}{3 if steps else 0} start s.json\n" + thermo() + show("again") + "run 4\n" + report("later")
    run = run_lammps(tmp_path, deck, timeout=60)
    again, later = shown(run, "again"), shown(run, "later")
    centres = umbrellas(0.0, 0.9, 0.07)
    opes = Opes(T0, TEMPERATURES, np.zeros((12, len(centres))), centres, 0.07)
    observed = read_log(tmp_path / "a.log")[1][2::2]
    if steps:
        opes.free_energies = first_guess(opes, observed[:, 3], observed[:, 4], 8.0)
    assert again["updates"] == len(observed)
    assert again["bias"] == pytest.approx(opes.bias(again["H"], again["s"]), abs=1e-9)
    assert later["updates"] == len(observed) + 2
    assert np.isfinite(list(later.values())).all()
