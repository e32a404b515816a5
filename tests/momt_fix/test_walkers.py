"""Walkers in partitions share one bias."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lammps_run import run_lammps
from momt_decks import aluminium, head, read_log, read_state, write_structure

MODES = {
    "opes": "opes observe 2",
    "wt": "wt sigma 0.03 height 0.02 gamma 40",
    "wl": "wl enthalpy -110 -90 40 bins 20 increment 0.1",
}
STEPS, PACE = 20, 2


def deck(mode: str) -> str:
    words = f"mode {MODES[mode]} pace {PACE} state ${{walker}}.json {STEPS} log ${{walker}}.log 1"
    return f"""variable walker world 0 1
{head()}velocity all create 900 47${{walker}}1
timestep 0.002
fix momt all momt T0 900 temps 650 1400 8 order sk fcc 2 2 2 {words}
fix box all nve
run {STEPS}
write_restart ${{walker}}.restart
"""


@pytest.mark.parametrize("ranks", [2, 4])
@pytest.mark.parametrize("mode", MODES)
def test_walkers_share_one_bias(mode: str, ranks: int, tmp_path: Path) -> None:
    write_structure(tmp_path, aluminium((2, 2, 2)))
    run_lammps(tmp_path, deck(mode), ranks, ("-partition", f"2x{ranks // 2}"), timeout=60)
    first, second = (read_state(tmp_path / f"{walker}.json") for walker in (0, 1))
    assert first["bias"] == second["bias"]
    assert first["updates"] == second["updates"] == 2 * STEPS // PACE
    rows = [read_log(tmp_path / f"{walker}.log")[1] for walker in (0, 1)]
    assert np.abs(rows[0][-1, 4] - rows[1][-1, 4]) > 1e-4  # they are not the same trajectory
