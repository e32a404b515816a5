"""Two at once in one folder: one is refused, or both come to the same result, whole; never do both write the same files."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from outcome import Ended, Outcome, Verdict, classify, judge, leftovers
from runner import LIMIT, Server
from runs import RUNS, agree

pytestmark = pytest.mark.long

WAYS = ("at-once", "while-working", "resume-beside")
LONG = ("train", "md", "sample momt", "ramp", "melt", "data label")
CASES = [(verb, way) for verb in LONG for way in WAYS]
# The first one is at work, and could be gone on with, as soon as a file of this kind is there.
BEGUN = {
    "train": "checkpoints/last.safetensors",
    "md": "restart.*",
    "sample momt": "in.adapt.lammps",
    "ramp": "log.lammps",
    "melt": "cells/*/solid.json",
    "data label": "",
}
QUICK = {
    "data convert": ("data", "convert", "frames.extxyz", "-o", "out"),
    "data split": ("data", "split", "frames.extxyz", "-o", "out"),
    "export": ("export", "run", "-o", "out.pt"),
    "evaluate": ("evaluate", "model.pt", "data", "-o", "out"),
}


def _alone(verb: str, store: Path, folder: Path, unnp: Server) -> object:
    run = RUNS[verb]
    work = run.prepare(folder, store)
    ended = unnp.run(work, *run.start, limit=4 * LIMIT)
    assert ended.code == 0, ended.output
    return run.answer(work / run.output)


@pytest.fixture(scope="session")
def answers(unnp: Server, toy_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], object]:
    made: dict[str, object] = {}

    def answer(verb: str) -> object:
        if verb not in made:
            made[verb] = _alone(verb, toy_run / "data", tmp_path_factory.mktemp("alone") / "work", unnp)
        return made[verb]

    return answer


def check(verb: str, way: str, answer: object, unnp: Server, store: Path, tmp_path: Path) -> None:
    run = RUNS[verb]
    folder = run.prepare(tmp_path / "work", store)
    begun = time.monotonic()
    first = unnp.start(folder, *run.start)
    if way != "at-once":
        _wait_for(folder / run.output, BEGUN[verb])
    second = unnp.start(folder, *(run.resume if way == "resume-beside" else run.start))
    endings = [second.wait(4 * LIMIT), first.wait(4 * LIMIT)]
    verdict = _verdict(endings, lambda: agree(run.answer(folder / run.output), answer, 0.0))
    if not verdict.is_fault and leftovers(folder):
        verdict = Verdict(Outcome.WRITTEN, f"left: {', '.join(leftovers(folder))}")
    judge("concurrency", verb, f"{verb} {way}", verdict, time.monotonic() - begun)


def _wait_for(folder: Path, pattern: str) -> None:
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if pattern and list(folder.glob(pattern)):
            return
        if not pattern and list(folder.parent.glob(f".{folder.name}*")):
            return
        time.sleep(0.01)


def _verdict(endings: list[Ended], is_right: Callable[[], bool]) -> Verdict:
    verdicts = [classify(ended) for ended in endings]
    for verdict in verdicts:
        if verdict and verdict.is_fault:
            return verdict
    outputs = "\n---\n".join(ended.output[-500:] for ended in endings)
    if all(verdicts):
        return Verdict(Outcome.WRONG, f"both failed:\n{outputs}")
    if not any(verdicts):
        return Verdict(Outcome.WRONG, f"both worked on the same files:\n{outputs}")
    if not is_right():
        return Verdict(Outcome.WRONG, f"another answer than that of one alone:\n{outputs}")
    return Verdict(Outcome.CLEAR_ERROR, "one was refused, the other came to the right answer")


@pytest.mark.fuzz
@pytest.mark.parametrize(("verb", "way"), CASES, ids=[f"{verb}-{way}" for verb, way in CASES])
def test_two_in_one_folder(
    verb: str, way: str, answers: Callable[[str], object], unnp: Server, toy_run: Path, tmp_path: Path
) -> None:
    check(verb, way, answers(verb), unnp, toy_run / "data", tmp_path)


def test_two_trainings_in_one_folder(
    answers: Callable[[str], object], unnp: Server, toy_run: Path, tmp_path: Path
) -> None:
    check("train", "resume-beside", answers("train"), unnp, toy_run / "data", tmp_path)


@pytest.mark.fuzz
@pytest.mark.parametrize("verb", QUICK)
def test_two_short_ones_at_once(verb: str, unnp: Server, toy_run: Path, tmp_path: Path) -> None:
    work = shutil.copytree(toy_run, tmp_path / "work")
    out = work / QUICK[verb][-1]
    running = [unnp.start(work, *QUICK[verb]) for _ in range(2)]
    endings = [one.wait() for one in running]
    verdict = _verdict(endings, lambda: out.exists())
    if verb in ("export", "evaluate") and not any(classify(ended) for ended in endings):
        verdict = Verdict(Outcome.HARMLESS, "the same files twice: the later one replaces the earlier one")
    judge("concurrency", verb, f"{verb} at-once", verdict, max(ended.seconds for ended in endings))
