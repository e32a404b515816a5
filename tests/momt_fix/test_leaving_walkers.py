"""A walker that leaves the others ends them with an error that names it; nobody waits for ever."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lammps_run import Run, run_lammps
from momt_decks import aluminium, head, read_log, thermo, write_structure

pytestmark = pytest.mark.long

FIX = "fix momt all momt T0 900 temps 650 1400 8 order sk fcc 2 2 2 pace 5 log ${walker}.log 1\n"
START = (
    "variable walker world 0 1\nvariable odd world 0 1\n"
    + head()
    + "velocity all create 900 47${walker}1\ntimestep 0.002\n"
)
BOX = "fix box all nve\n"
IF_ODD = 'if "${odd}" then '
GOES_ON = "Walkers that share a bias have to define the fix in all partitions and to run the same steps"

LEAVING = {
    "no_fix": ('if "!${odd}" then "' + FIX.strip() + '"\n' + BOX + "run 20\n", "has ended LAMMPS"),
    "unfix": (FIX + BOX + "run 10\n" + IF_ODD + '"unfix momt"\nrun 20\n', "no longer has the fix"),
    "clear": (FIX + BOX + "run 10\n" + IF_ODD + '"clear"\n' + IF_ODD + '"print done" else "run 20"\n', "no longer has"),
    "quit": (FIX + BOX + "run 10\n" + IF_ODD + '"quit"\nrun 20\n', "has ended LAMMPS"),
    "quit_1": (FIX + BOX + "run 10\n" + IF_ODD + '"quit 3"\nrun 20\n', "has ended LAMMPS"),
    "one_run_more": (FIX + BOX + "run 10\n" + IF_ODD + '"print done" else "run 20"\n', "no longer has the fix"),
    "halt": (
        "variable last world 1000000 13\nvariable k equal step\n"
        + FIX
        + BOX
        + "fix h all halt 1 v_k > ${last} error continue\nrun 60\n",
        "has ended its run early, at step 14",
    ),
    "timeout": (
        "variable limit world off 0:00:00\n" + FIX + BOX + "run 10\ntimer timeout ${limit} every 1\nrun 50\n",
        "no longer has the fix",
    ),
    "other_run": (
        FIX + BOX + "run 10\nvariable pre world yes no\nrun 50 pre ${pre}\n",
        # both walkers end, and whoever is first may end the other before it has said so
        "goes on with a run, while this one begins another|has begun another run, while this one goes on",
    ),
    "lengths": (
        "variable n world 10 15\n" + FIX + BOX + "run ${n}\n",
        "different settings, numbers of atoms or of steps",
    ),
}


def run_two(folder: Path, commands: str, ranks: int, check: bool = False) -> Run:
    write_structure(folder, aluminium((2, 2, 2)))
    partitions = ("-partition", f"2x{ranks // 2}")
    run = run_lammps(folder, START + commands, ranks, partitions, check=check, timeout=60)
    return Run(folder, run.code, run.output + "".join((folder / f"log.lammps.{k}").read_text() for k in (0, 1)))


@pytest.mark.parametrize("name", LEAVING)
def test_the_others_end_with_an_error(name: str, tmp_path: Path) -> None:
    commands, message = LEAVING[name]
    run = run_two(tmp_path, commands, 2)
    assert run.code != 0
    errors = [line for line in run.output.splitlines() if line.startswith("ERROR")]
    assert any("fix momt: " in line and re.search(message, line) for line in errors), run.output[-2000:]
    assert any("walker 1 (partition 2 of LAMMPS)" in line or "walker 0" in line for line in errors)


@pytest.mark.parametrize("name", ["halt", "no_fix"])
def test_on_two_ranks_each(name: str, tmp_path: Path) -> None:
    run = run_two(tmp_path, LEAVING[name][0], 4)
    assert run.code != 0
    assert LEAVING[name][1] in run.output
    assert GOES_ON in run.output


TOGETHER = {
    "quit": FIX + BOX + "run 10\nquit\n",
    "unfix": FIX + BOX + "run 10\nunfix momt\nrun 5\n" + FIX + "unfix box\nfix box all nve\nrun 10\n",
    "clear": FIX + BOX + "run 10\nclear\n" + head() + FIX + BOX + "run 10\n",
    "halt": "variable k equal step\n" + FIX + BOX + "fix h all halt 1 v_k > 12 error continue\nrun 60\n"
    "unfix h\ntimer timeout off\nrun 10\n",
    "timeout": FIX + BOX + "timer timeout 0:00:00\nrun 50\ntimer timeout off\nrun 10\n",
    "alone": FIX.replace("\n", " walkers alone\n") + BOX + "variable n world 10 20\nrun ${n}\n",
    "without": BOX + "variable n world 10 20\nrun ${n}\n",
}


@pytest.mark.parametrize("name", TOGETHER)
def test_walkers_that_do_the_same_end_well(name: str, tmp_path: Path) -> None:
    run = run_two(tmp_path, TOGETHER[name], 2, check=True)
    assert run.output.count("Loop time") >= 2
    assert "ERROR" not in run.output


def test_a_time_limit_ends_all_at_one_step(tmp_path: Path) -> None:
    """From there they can go on together; without it each would stop where it happens to be."""
    commands = (
        "variable limit world off 0:00:03\n"
        + FIX.replace("pace 5", "pace 50").replace("log ${walker}.log 1", "log ${walker}.log 50")
        + BOX
        + thermo(100000)
        + "timer timeout ${limit} every 1\nrun 10000000\ntimer timeout off\nrun 10\n"
    )
    run = run_two(tmp_path, commands, 2, check=True)
    assert "the time limit of a walker is near; all end this run at step" in run.output
    steps = [read_log(tmp_path / f"{walker}.log")[1][:, 0] for walker in (0, 1)]
    assert steps[0].tolist() == steps[1].tolist()
