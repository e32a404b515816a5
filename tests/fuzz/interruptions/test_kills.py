"""Kill -9, SIGTERM and Ctrl-C at any time: nothing goes on alone or is left, and --resume ends with the same answer."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mutations import seed_of
from outcome import Ended, Outcome, Verdict, classify, judge, leftovers
from runner import LIMIT, Running, Server, end_session, working_in
from runs import RUNS, Run, agree

pytestmark = pytest.mark.long

INTERRUPTED = {signal.SIGTERM: (75, 143, -15), signal.SIGINT: (75, 130, -2)}
KILLS = {"train": 14, "data label": 12, "sample momt": 8, "md": 12, "ramp": 8, "melt": 4}
CASES = [(verb, signal.SIGKILL, k) for verb, n in KILLS.items() for k in range(n)]
CASES += [(verb, number, k) for verb in RUNS for number in INTERRUPTED for k in range(1 if verb == "melt" else 2)]
ALONE = 5.0
"""Seconds that LAMMPS has for ending after the program that started it."""


@dataclass(frozen=True)
class Whole:
    """A run that nobody stopped: what it takes and what it says."""

    seconds: float
    answer: Any


@pytest.fixture(scope="session")
def whole(unnp: Server, toy_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Whole]:
    made: dict[str, Whole] = {}

    def make(verb: str) -> Whole:
        if verb not in made:
            run = RUNS[verb]
            folder = run.prepare(tmp_path_factory.mktemp("whole") / "work", toy_run / "data")
            ended = unnp.run(folder, *run.start, limit=4 * LIMIT)
            assert ended.code == 0, ended.output
            made[verb] = Whole(ended.seconds, run.answer(folder / run.output))
        return made[verb]

    return make


def check(verb: str, number: signal.Signals, k: int, whole: Whole, unnp: Server, store: Path, tmp_path: Path) -> None:
    run = RUNS[verb]
    name = f"{verb} {number.name} {k}"
    folder = run.prepare(tmp_path / "work", store)
    begun = time.monotonic()
    running = unnp.start(folder, *run.start)
    time.sleep(whole.seconds * seed_of(name).uniform(0.1, 0.95))
    running.kill(number)
    ended = running.wait()
    verdict = _of_end(number, ended) or _gone_on_with(run, running, whole, folder, unnp)
    judge(
        "kills",
        f"{verb}, {'kill -9' if number == signal.SIGKILL else 'SIGTERM, Ctrl-C'}",
        name,
        verdict,
        time.monotonic() - begun,
    )


def _of_end(number: signal.Signals, ended: Ended) -> Verdict | None:
    """Return the verdict on a bad end; None for a good one."""
    if number == signal.SIGKILL or ended.code == 0:
        return None
    if ended.code in INTERRUPTED[number]:
        raw = "Traceback" in ended.output
        return Verdict(Outcome.TRACEBACK, ended.output[-1500:]) if raw else None
    verdict = classify(ended)
    return (
        verdict
        if verdict and verdict.is_fault
        else Verdict(Outcome.WRONG, f"exit code {ended.code}: {ended.output[-500:]}")
    )


def _gone_on_with(run: Run, running: Running, whole: Whole, folder: Path, unnp: Server) -> Verdict:
    command = run.resume if (folder / run.output).exists() else run.start
    if (folder / run.output / ".lock").exists() and len(list((folder / run.output).iterdir())) == 1:
        command = run.start  # killed before anything but the lock was there
    end = time.monotonic() + ALONE
    while working_in(folder) and time.monotonic() < end:
        time.sleep(0.1)
    orphans = working_in(folder)
    if orphans:
        refused = unnp.run(folder, *command)
        named = refused.code == 2 and any(str(pid) in refused.output for pid in orphans)
        for pid in orphans:
            end_session(pid)
        time.sleep(0.3)
        if not named:
            return Verdict(
                Outcome.HANG, f"LAMMPS goes on after its driver, and no refusal names it:\n{refused.output[-500:]}"
            )
    ended = unnp.run(folder, *command, limit=4 * LIMIT)
    if ended.code == 2 and "leave out --resume" in ended.output:  # killed before the run had begun
        command = run.start
        ended = unnp.run(folder, *command, limit=4 * LIMIT)
    if ended.code == 2 and run.output == "labels" and "exists" in ended.output:
        ended = Ended(0, ended.output, ended.seconds)  # killed after all was written
    if ended.code == 2 and command == run.start and "already holds" in ended.output:
        return Verdict(Outcome.WRONG, f"neither a start nor --resume goes on: {ended.output[-500:]}")
    if ended.code != 0:
        return (
            classify(ended)
            if _is_fault(ended)
            else Verdict(Outcome.WRONG, f"it cannot be gone on with: {ended.output[-800:]}")
        )
    if not agree(run.answer(folder / run.output), whole.answer, run.tolerance):
        return Verdict(Outcome.WRONG, f"another answer than the run that nobody stopped:\n{ended.output[-800:]}")
    left = leftovers(folder)
    return Verdict(Outcome.WRITTEN, f"left: {', '.join(left)}") if left else Verdict(Outcome.RIGHT)


def _is_fault(ended: Ended) -> bool:
    verdict = classify(ended)
    return verdict is not None and verdict.is_fault


@pytest.mark.fuzz
@pytest.mark.parametrize(("verb", "number", "k"), CASES, ids=[f"{v}-{n.name}-{k}" for v, n, k in CASES])
def test_stopped_at_any_time(
    verb: str,
    number: signal.Signals,
    k: int,
    whole: Callable[[str], Whole],
    unnp: Server,
    toy_run: Path,
    tmp_path: Path,
) -> None:
    check(verb, number, k, whole(verb), unnp, toy_run / "data", tmp_path)


def test_a_killed_run_of_md_goes_on(whole: Callable[[str], Whole], unnp: Server, toy_run: Path, tmp_path: Path) -> None:
    check("md", signal.SIGKILL, 2, whole("md"), unnp, toy_run / "data", tmp_path)
