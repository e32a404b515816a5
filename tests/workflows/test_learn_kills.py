"""A loop that is killed with -9 at random moments ends as one that is not, and leaves no process behind."""

import csv
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from outcome import Outcome, Verdict, record
from sessions import members_of_sessions

SECONDS = 1800
SCHNET = {"architecture": "schnet", "settings": {"cutoff": 4.0, "features": 4, "interactions": 1, "gaussians": 6}}
RATTLED = {
    "kind": "generate",
    "bases": {"al": {"symbols": "Al", "prototype": "fcc", "a": 4.05}},
    "samples": [{"kind": "rattled", "count": 40}],
}
HOT = {
    "kind": "md",
    "runs": [
        {
            "structure": {"element": "Al", "a": 4.05, "repeat": [2, 2, 2]},
            "temperature": 600,
            "steps": 200,
            "dump": {"every": 50},
            "restart": 50,
        }
    ],
}
LOOP = {
    "propose": {"made": RATTLED, "hot": HOT},
    "start": {"data": ["start.extxyz"]},
    "select": {"kind": "forces", "most": 5},
    "label": {"kind": "ase", "name": "emt"},
    "train": {"data": {"validation": 0.3}, "potential": SCHNET, "epochs": 4, "batch_size": 2},
    "members": 2,
    "judge": {"new": {"kind": "new"}, "start": {"kind": "files", "data": ["start.extxyz"]}},
    "stop": {"rounds": 2},
    "executor": {"kind": "processes", "workers": 2},
    "device": "cpu",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generator, frames = np.random.default_rng(0), []
    for _ in range(6):
        atoms = bulk("Al", cubic=True, a=4.05 + 0.1 * generator.standard_normal())
        atoms.positions += 0.1 * generator.standard_normal((4, 3))
        atoms.calc = EMT()
        labels = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
        atoms.calc = SinglePointCalculator(atoms, **labels)
        frames.append(atoms)
    write(tmp_path / "start.extxyz", frames)
    (tmp_path / "learn.yaml").write_text(yaml.safe_dump(LOOP))
    return tmp_path


def start(folder: Path, name: str) -> subprocess.Popen[str]:
    resume = ["--resume"] if (folder / name / "learn.yaml").exists() else []
    command = [sys.executable, "-m", "unnp", "learn", "learn.yaml", "-o", name, *resume]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=folder, stdout=pipe, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def assert_same_loop(folder: Path, expected: Path) -> None:
    """Compare all numbers of two loops: dynamics that go on from a restart file sum forces in another order."""
    rows, others = (json.loads((path / "report.json").read_text())["rounds"] for path in (folder, expected))
    own, other = ([entry for row in found for entry in flat(row)] for found in (rows, others))
    assert [name for name, _ in own] == [name for name, _ in other]
    assert [value for _, value in own] == pytest.approx([value for _, value in other], rel=1e-3)
    (names, scores), (other_names, other_scores) = choices(folder), choices(expected)
    assert names == other_names
    assert scores == pytest.approx(other_scores, rel=1e-3, abs=1e-6)


def flat(content: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Yield the numbers of a report by where they are, but for times."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key != "seconds":
                yield from flat(value, f"{name}/{key}")
    else:
        yield name, content


def choices(folder: Path) -> tuple[list[tuple[str, ...]], list[float]]:
    """Return round, source and proposer of the structures that a loop has chosen, and their scores."""
    with (folder / "chosen.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [(row["round"], row["source"].replace(f"/{folder.name}/", "/"), row["proposer"]) for row in rows]
    return names, [float(row["score"]) for row in rows]


def run_and_kill(folder: Path, name: str, moments: Iterator[float]) -> list[float]:
    """Run a loop to its end, killed after each of the times given; return those after which it was.

    After each kill no process is left, and what was finished is still there when it goes on.
    """
    kills: list[float] = []
    for seconds in chain(moments, [SECONDS]):
        run = start(folder, name)
        try:
            output = run.communicate(timeout=seconds)[0]
            assert run.returncode == 0, output
            return kills
        except subprocess.TimeoutExpired:
            finished = {path: path.read_bytes() for path in (folder / name).glob("round-*/steps.json")}
            run.send_signal(signal.SIGKILL)
            run.wait()
            kills.append(seconds)
        end = time.monotonic() + 60
        while members_of_sessions([run.pid]):
            assert time.monotonic() < end, f"still there: {members_of_sessions([run.pid])}"
            time.sleep(0.1)
        for path, before in finished.items():
            now = json.loads(path.read_text())
            assert {step: now[step] for step in json.loads(before)} == json.loads(before)
    raise AssertionError(f"{name} did not end in {SECONDS} s")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(
    "most", [pytest.param(8, marks=pytest.mark.long), pytest.param(50, marks=pytest.mark.fuzz)], ids="{} kills".format
)
def test_kills_at_random_moments_lose_nothing_and_leave_no_process(most: int, folder: Path) -> None:
    """A loop is done when it has been killed some times: as many loops one after the other as it takes."""
    began = time.monotonic()
    whole = start(folder, "whole")
    output = whole.communicate(timeout=SECONDS)[0]
    assert whole.returncode == 0, output
    duration, chance, kills, loops = time.monotonic() - began, random.Random(0), 0, 0
    while kills < most:
        name = f"killed-{loops}"
        moments = (chance.uniform(0.1, 0.8) * duration for _ in range(most - kills))
        killed = run_and_kill(folder, name, moments)
        assert_same_loop(folder / name, folder / "whole")
        for k, seconds in enumerate(killed):
            record("loops", "learn, kill -9", f"{name}, kill {k}", Verdict(Outcome.RIGHT), seconds)
        kills += len(killed)
        loops += 1
    print(f"{kills} kills of {loops} loops")
