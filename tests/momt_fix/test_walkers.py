"""Walkers in partitions share one bias."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lammps_run import Run, run_lammps
from momt_decks import aluminium, each, head, read_log, read_state, thermo, updates_of, write_frames, write_structure
from momt_oracle import Opes, umbrellas
from momt_systems import T0, Order, opes_state, write_state

MODES = {
    "opes": "opes observe 2 memory 0",
    "wt": "wt sigma 0.03 height 0.02 gamma 40 observe 2",
    "wl": "wl enthalpy -110 -90 40 bins 20 increment 0.1",
}
STEPS, PACE = 20, 2
FIX = f"fix momt all momt T0 {T0} temps 650 1400 8 order sk fcc 2 2 2 pace {PACE} log ${{walker}}.log 1 mode "


def deck(words: str, after: str = "") -> str:
    return f"""variable walker world 0 1
{head()}velocity all create 900 47${{walker}}1
timestep 0.002
{FIX}{words}
fix box all nve
{thermo(STEPS)}run {STEPS}
{after}"""


def run_walkers(folder: Path, words: str, ranks: int, after: str = "") -> list[Run]:
    """Run two walkers and return what each has printed."""
    write_structure(folder, aluminium((2, 2, 2)))
    run_lammps(folder, deck(words, after), ranks, ("-partition", f"2x{ranks // 2}"), timeout=60)
    return [Run(folder, 0, (folder / f"log.lammps.{walker}").read_text()) for walker in (0, 1)]


@pytest.mark.parametrize(("mode", "ranks"), [("opes", 2), ("opes", 4), ("wt", 2), ("wl", 2)])
def test_walkers_share_one_bias(mode: str, ranks: int, tmp_path: Path) -> None:
    """Both know the bias that both have made: shown the same structure afterwards, they give the same bias."""
    write_frames(tmp_path / "frames.dump", [aluminium((2, 2, 2), 0.1)])
    words = f"{MODES[mode]} state s.json {STEPS}"
    both = "fix_modify momt freeze yes\nchange_box all triclinic\n"
    first, second = run_walkers(tmp_path, words, ranks, both + each(1))
    # Not to the last bit: the walkers' atoms are spread differently over their ranks.
    np.testing.assert_allclose(first.printed("frame0")[8:-1], second.printed("frame0")[8:-1], rtol=1e-12, atol=1e-13)
    assert first.printed("frame0")[15] == updates_of(read_state(tmp_path / "s.json")) == 2 * STEPS // PACE
    assert first.printed("frame0")[8] != 0
    rows = [read_log(tmp_path / f"{walker}.log")[1] for walker in (0, 1)]
    assert np.abs(rows[0][-1, 4] - rows[1][-1, 4]) > 1e-4  # they are not the same trajectory


def test_updates_of_both_walkers(tmp_path: Path) -> None:
    """The samples of the first walker count first, each with the bias before the update."""
    centres = umbrellas(0.0, 0.9, 0.07)
    opes = Opes(T0, np.linspace(650, 1400, 8), np.zeros((8, len(centres))), centres, 0.07)
    order = Order(lambda: aluminium((2, 2, 2)), "sk fcc 2 2 2", lambda atoms: 0.0)
    opes.free_energies = opes.kt * (opes.exponents(-100.0, 0.0) - opes.exponents(0.0, 0.0))
    write_state(tmp_path / "start.json", "opes", order, None, opes_state(opes, updates=9, rct=0.0), temperature=T0)
    opes.counter = 10
    run_walkers(tmp_path, "opes free 0 memory 0 observe 0 range 0 0.9 sigma 0.07 start start.json", 2)
    walkers = [read_log(tmp_path / f"{walker}.log")[1] for walker in (0, 1)]
    for rows in zip(*walkers, strict=True):
        if rows[0][0] and rows[0][0] % PACE == 0:
            biases = [opes.bias(*row[3:5]) for row in rows]
            for row, bias in zip(rows, biases, strict=True):
                opes.update(*row[3:5], bias)
        for row in rows:
            assert row[5] == pytest.approx(opes.bias(*row[3:5]), abs=1e-9)
    assert walkers[0][-1, 8] == 9 + 2 * STEPS // PACE


def test_walkers_of_different_length(tmp_path: Path) -> None:
    """One would wait for the other for ever."""
    write_structure(tmp_path, aluminium((2, 2, 2)))
    unequal = "variable n world 3 6\n" + deck("opes").replace(f"run {STEPS}", "run $n")
    run = run_lammps(tmp_path, unequal, 2, ("-partition", "2x1"), check=False, timeout=30)
    assert run.code != 0
    said = [(tmp_path / f"log.lammps.{walker}").read_text() for walker in (0, 1)]
    assert any("different settings, numbers of atoms or of steps" in text for text in said)
    assert not any("Step " in text for text in said)
