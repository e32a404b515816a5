"""Damaged folders of interrupted runs: going on says so, or ends with the answer of the folder as it was."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from momt_decks import aluminium, head, write_structure
from mutations import Mutant, some
from outcome import Ended, Files, Outcome, Verdict, classify, judge
from run_folders.mutants import FOLDERS, STATE
from runner import LIMIT, Server, end_session, run_lmp, working_in
from runs import MD, RUNS, Run, agree

SHORT_MD = {**MD, "steps": 4000}
INTERRUPTED = {name: RUNS[name] for name in FOLDERS} | {
    "md": dataclasses.replace(RUNS["md"], files={"md.yaml": SHORT_MD})
}
# A run is killed as soon as this is there.
ENOUGH: dict[str, Callable[[Path], bool]] = {
    "md": lambda run: (run / "restart.b").exists() and (run / "trajectory.extxyz").stat().st_size > 0,
    "ramp": lambda run: len(list(run.glob("restart.*"))) > 0,
    "sample momt": lambda run: (run / "in.production.continue.lammps").exists(),
    "melt": lambda run: (run / "cells/840K/solid.json").exists() and (run / "cells/840K/log.melt.1.lammps").exists(),
}
# Where one of these is damaged, the run goes on from another step, and chaos makes other numbers.
FROM_ANOTHER_STEP = ("restart", "solid", "cells", "production", "adapt", "progress", "log.lammps", "trajectory", "rdf")
CLOSE = 0.02


@dataclass(frozen=True)
class Stopped:
    """A killed run, and the answer after it was gone on with."""

    run: Run
    folder: Path
    answer: Any


@pytest.fixture(scope="session")
def stopped(unnp: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Stopped]:
    made: dict[str, Stopped] = {}

    def make(verb: str) -> Stopped:
        if verb not in made:
            made[verb] = _interrupt(INTERRUPTED[verb], ENOUGH[verb], unnp, tmp_path_factory.mktemp("stopped"))
        return made[verb]

    return make


def _interrupt(run: Run, enough: Callable[[Path], bool], unnp: Server, root: Path) -> Stopped:
    folder = run.prepare(root / "clean")
    running = unnp.start(folder, *run.start)
    end = time.monotonic() + 10 * LIMIT
    while not ((folder / run.output).is_dir() and enough(folder / run.output)):
        assert running.is_running() and time.monotonic() < end, running.wait().output  # noqa: PT018
        time.sleep(0.01)
    running.kill()
    running.wait()
    for pid in working_in(folder):
        end_session(pid)
    time.sleep(0.2)
    control = shutil.copytree(folder, root / "control")
    ended = unnp.run(control, *run.resume, limit=10 * LIMIT)  # the whole rest, on a machine that may be busy
    assert ended.code == 0, ended.output
    return Stopped(run, folder, run.answer(control / run.output))


def check(verb: str, mutant: Mutant, stopped: Stopped, unnp: Server, tmp_path: Path) -> None:
    run = stopped.run
    work = shutil.copytree(stopped.folder, tmp_path / "work")
    mutant.change(work / run.output)
    before = Files.of(work, [run.output])
    ended = unnp.run(work, *run.resume)
    verdict = classify(ended) or _of_answer(mutant, stopped, work, ended)
    changed = before.changed([run.output])
    if changed:
        verdict = Verdict(Outcome.WRITTEN, ", ".join(changed))
    judge("run_folders", f"{verb}, resumed", f"{verb} {mutant.name}", verdict, ended.seconds)


def _of_answer(mutant: Mutant, stopped: Stopped, work: Path, ended: Ended) -> Verdict:
    answer, expected = stopped.run.answer(work / stopped.run.output), stopped.answer
    if mutant.name.startswith("trajectory"):  # what was lost of it by the damage is lost
        answer, expected = ({**given, "frames": None} for given in (answer, expected))
    if agree(answer, expected, 0.0):
        return Verdict(Outcome.RIGHT)
    if mutant.name.startswith(FROM_ANOTHER_STEP) and agree(_numbers(answer), _numbers(expected), CLOSE):
        return Verdict(Outcome.RIGHT, "from another step, within the scatter")
    if mutant.name.startswith("log.lammps") and "missing" in ended.output:
        return Verdict(Outcome.RIGHT, "what is missing is said")
    return Verdict(Outcome.WRONG, f"another answer, without a word:\n{ended.output[-1500:]}")


def _numbers(answer: Any) -> Any:
    """Return an answer without texts: of samples there are as many, but other ones."""
    if isinstance(answer, dict):
        texts = {key: value.count("Lattice=") for key, value in answer.items() if isinstance(value, str)}
        return texts | {key: value for key, value in answer.items() if not isinstance(value, str | bytes)}
    return answer


CASES = [(verb, mutant) for verb, mutants in FOLDERS.items() for mutant in mutants]


@pytest.mark.fuzz
@pytest.mark.parametrize(("verb", "mutant"), CASES, ids=[f"{verb}-{mutant.name}" for verb, mutant in CASES])
def test_going_on_with_a_damaged_folder(
    verb: str, mutant: Mutant, stopped: Callable[[str], Stopped], unnp: Server, tmp_path: Path
) -> None:
    check(verb, mutant, stopped(verb), unnp, tmp_path)


@pytest.mark.parametrize("name", ["restart.a-gone", "system.json-deep"])
def test_going_on_with_some_damaged_folder(
    name: str, stopped: Callable[[str], Stopped], unnp: Server, tmp_path: Path
) -> None:
    (mutant,) = some(FOLDERS["md"], name)
    check("md", mutant, stopped("md"), unnp, tmp_path)


WORDS = "fix bias all momt T0 1000 temps 650 1400 12 press 0.0 order sk fcc 2 2 2 pace 5"
BOX = """
velocity all create 1500 5
fix box all nph iso 0.0 0.0 1.0
fix heat all temp/csvr 1000 1000 0.1 4711
timestep 0.002
thermo 10
thermo_style custom step pe press f_bias f_bias[1] f_bias[2] f_bias[3]
thermo_modify format float %.12g
run 60
"""


@pytest.fixture(scope="session")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a folder with a state file and a deck that begins with it, and what that prints."""
    folder = tmp_path_factory.mktemp("state")
    write_structure(folder, aluminium((2, 2, 2)))
    (folder / "in.learn").write_text(head() + f"{WORDS} observe 2 state state.json 10\n" + BOX)
    (folder / "in.use").write_text(head() + f"{WORDS} start state.json freeze 0\n" + BOX)
    for deck in ("in.learn", "in.use"):
        ended = run_lmp(folder, "-in", deck)
        assert ended.code == 0, ended.output
    return folder, printed(ended)


def printed(ended: Ended) -> str:
    """Return the rows of thermo output."""
    rows = [line for line in ended.output.splitlines() if line.split()[:1] and line.split()[0].isdigit()]
    return "\n".join(row for row in rows if len(row.split()) == 7)


@pytest.mark.fuzz
@pytest.mark.parametrize("mutant", STATE, ids=lambda mutant: mutant.name)
def test_beginning_with_a_damaged_state(mutant: Mutant, learnt: tuple[Path, str], tmp_path: Path) -> None:
    check_state(mutant, *learnt, tmp_path)


@pytest.mark.parametrize("mutant", some(STATE, "half", "free_energies-inner-nan"), ids=lambda mutant: mutant.name)
def test_beginning_with_some_damaged_state(mutant: Mutant, learnt: tuple[Path, str], tmp_path: Path) -> None:
    check_state(mutant, *learnt, tmp_path)


def check_state(mutant: Mutant, folder: Path, expected: str, tmp_path: Path) -> None:
    work = shutil.copytree(folder, tmp_path / "work")
    mutant.change(work / "state.json")
    before = Files.of(work)
    ended = run_lmp(work, "-in", "in.use", limit=30)
    verdict = classify(ended, lammps=True)
    if verdict is None:
        right = printed(ended) == expected and mutant.due == "same"
        verdict = (
            Verdict(Outcome.RIGHT) if right else Verdict(Outcome.WRONG, "went on with a damaged state, without a word")
        )
    changed = before.changed()
    if changed:
        verdict = Verdict(Outcome.WRITTEN, ", ".join(changed))
    judge("run_folders", "state.json of fix momt", f"state {mutant.name}", verdict, ended.seconds)
