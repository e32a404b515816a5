"""The log reader."""

from __future__ import annotations

import numpy as np
import pytest
from unnp.errors import LammpsError
from unnp.lammps.log import LogFollower, read_log

LOG = """LAMMPS (22 Jul 2025 - Update 4)
  1 by 1 by 2 MPI processor grid
WARNING: Something is odd (src/thing.cpp:1)
Per MPI rank memory allocation (min/avg/max) = 3.1 | 3.1 | 3.1 Mbytes
   Step          Temp          PotEng
         0   300            -368.5
        10   250.5          -368.25
Loop time of 0.5 on 2 procs for 10 steps with 108 atoms

Performance: 1 ns/day
Per MPI rank memory allocation (min/avg/max) = 3.1 | 3.1 | 3.1 Mbytes
   Step          Temp          PotEng
        10   250.5          -368.25
WARNING: Between two rows
Fix print: 7 8 9
        20   nan            1.5e+300
"""


def test_blocks_of_a_run_that_ended_and_of_one_that_goes_on(tmp_path):
    path = tmp_path / "log.lammps"
    path.write_text(LOG)
    log = read_log(path)
    first, second = log.blocks
    assert (log.n_ranks, first.n_ranks, first.n_steps, first.n_atoms, first.loop_seconds) == (2, 2, 10, 108, 0.5)
    assert first["Step"].tolist() == [0, 10]
    assert first["PotEng"].tolist() == [-368.5, -368.25]
    assert not second.finished
    assert second["Step"].tolist() == [10, 20]
    assert np.isnan(second["Temp"][1])
    assert log.warnings == ["Something is odd (src/thing.cpp:1)", "Between two rows"]
    assert not log.error


def test_a_number_cut_short_is_not_taken_for_a_number(tmp_path):
    path = tmp_path / "log.lammps"
    path.write_text(LOG[: LOG.index("Loop time")] + "        20   250.5          -36")
    assert read_log(path).blocks[0]["Step"].tolist() == [0, 10]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_growing_log_reads_as_the_whole_one(tmp_path, size):
    path = tmp_path / "log.lammps"
    follower = LogFollower(path)
    follower.read()
    for k in range(0, len(LOG), size):
        with path.open("a") as file:
            file.write(LOG[k : k + size])
        follower.read()
    whole = read_log(path)
    assert [b.names for b in follower.log.blocks] == [b.names for b in whole.blocks]
    assert np.array_equal(follower.log.blocks[1].rows, whole.blocks[1].rows, equal_nan=True)
    assert follower.log.warnings == whole.warnings


@pytest.mark.parametrize(
    ("text", "error", "last_input"),
    [
        (
            "ERROR: Lost atoms: original 4 current 3 (src/thermo.cpp:1)\nLast input line: run 10\n",
            "Lost atoms",
            "run 10",
        ),
        ("ERROR on proc 3: cannot open x (src/a.cpp:5)\n", "on proc 3: cannot open x", ""),
        ("ERROR: Two\nlines of it\nFor more information see there\nLast input line: a b\n", "Two lines of it", "a b"),
    ],
)
def test_errors(tmp_path, text, error, last_input):
    path = tmp_path / "log.lammps"
    path.write_text(LOG + text)
    log = read_log(path)
    assert log.error.startswith(error)
    assert log.last_input == last_input


def test_what_is_not_there(tmp_path):
    with pytest.raises(LammpsError, match="no LAMMPS log"):
        read_log(tmp_path / "log.lammps")
    (tmp_path / "log.lammps").write_text(LOG)
    with pytest.raises(LammpsError, match="no column 'Press'; it has Step, Temp, PotEng"):
        read_log(tmp_path / "log.lammps").blocks[0]["Press"]
