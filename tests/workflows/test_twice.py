"""A second start in the folder of a run that is going on: refused, told who runs there, and without harm to the first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

CRYSTAL = {"element": "Al", "lattice": "fcc", "a": 4.05}
EAM = {"pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs {elements}"]}
RUNS = {
    "md": (
        ["md"],
        {"structure": {**CRYSTAL, "repeat": [4, 4, 4]}, "temperature": 300, "steps": 10**9, "thermo": 10},
        "log.lammps",
        ["--resume"],
    ),
    "ramp": (
        ["ramp"],
        {"structure": {**CRYSTAL, "repeat": [8, 8, 8]}, "temperatures": [300, 1400, 300], "rate": 1},
        "log.lammps",
        ["--resume"],
    ),
    "momt": (
        ["sample", "momt"],
        {"structure": {**CRYSTAL, "repeat": [3, 3, 3]}, "temperatures": [650, 1400], "stages": {"observe": 500}},
        "observe/momt.solid.log",
        ["--resume"],
    ),
    "melt": (
        ["melt"],
        {"structure": CRYSTAL, "temperatures": 900, "routes": ["coexistence"]},
        "cells/900K/log.solid.lammps",
        ["--resume"],
    ),
}


def unnp(folder: Path, words: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "unnp", *words]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Return inode and size of every file."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            found[str(path.relative_to(folder))] = (path.stat().st_ino, path.stat().st_size)
    return found


def wait_for(condition, process: subprocess.Popen[str]) -> None:
    for _ in range(1500):
        if condition():
            return
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    raise AssertionError("it did not happen")


@pytest.mark.parametrize("name", RUNS)
def test_the_second_is_refused_and_the_first_goes_on_unharmed(tmp_path, name):
    verb, config, log, resume = RUNS[name]
    (tmp_path / "al.yaml").write_text(json.dumps({**config, "potential": EAM}))
    first = unnp(tmp_path, [*verb, "al.yaml", "-o", "o"])
    try:
        wait_for(lambda: (tmp_path / "o" / log).is_file() and (tmp_path / "o" / log).stat().st_size > 0, first)
        before = contents(tmp_path / "o")
        for extra in [[], resume][name in ("momt", "melt") :]:
            second = unnp(tmp_path, [*verb, "al.yaml", "-o", "o", *extra])
            said = second.communicate(timeout=60)[0]
            assert second.returncode == 2
            assert f"another run is still going on in o (process {first.pid} on" in " ".join(said.split())
        after = contents(tmp_path / "o")
        assert {path for path in before if path.endswith(".part")} | before.keys() <= after.keys()
        assert all(after[path][0] == inode and after[path][1] >= size for path, (inode, size) in before.items())
        size = (tmp_path / "o" / log).stat().st_size
        wait_for(lambda: (tmp_path / "o" / log).stat().st_size > size, first)
        assert first.poll() is None
    finally:
        first.terminate()
        first.communicate(timeout=60)


@pytest.mark.parametrize("name", [pytest.param("md", marks=pytest.mark.slow), "ramp"])
def test_of_two_that_start_at_once_one_runs(tmp_path, name):
    short = {
        "md": {"steps": 2000, "thermo": 100},
        "ramp": {"temperatures": [300, 500, 300], "rate": 50, "stride": 5, "equilibration": 0.2},
    }
    verb, config, _, _ = RUNS[name]
    config = {**config, "structure": {**CRYSTAL, "repeat": [3, 3, 3]}, **short[name], "potential": EAM}
    (tmp_path / "al.yaml").write_text(json.dumps(config))
    both = [unnp(tmp_path, [*verb, "al.yaml", "-o", "o"]) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert sorted(process.returncode for process in both) == [0, 2], said
    refusal = " ".join(said[0 if both[0].returncode else 1].split())
    assert "another run is still going on" in refusal or "already holds a run" in refusal


def test_a_driver_killed_without_a_chance_leaves_no_lammps_and_the_run_goes_on(tmp_path):
    verb, config, log, _ = RUNS["md"]
    settings = {**config, "potential": EAM, "restart": 100, "ranks": 2}
    (tmp_path / "al.yaml").write_text(json.dumps(settings))
    first = unnp(tmp_path, [*verb, "al.yaml", "-o", "o"])
    wait_for(lambda: (tmp_path / "o/restart.b").is_file(), first)
    first.kill()
    first.communicate(timeout=60)
    for _ in range(500):
        if not any(running_in(tmp_path / "o")):
            break
        time.sleep(0.02)
    assert not list(running_in(tmp_path / "o"))
    steps = 10 * (1 + last_step(tmp_path / "o" / log) // 10)
    words = [*verb, "al.yaml", "-o", "o", "--resume", "--set", f"steps={steps + 200}"]
    second = unnp(tmp_path, words)
    said = second.communicate(timeout=60)[0]
    assert second.returncode == 0, said
    assert json.loads((tmp_path / "o/summary.json").read_text())["steps"] == steps + 200


def last_step(log: Path) -> int:
    rows = [line.split() for line in log.read_text().splitlines()]
    return max(int(row[0]) for row in rows if len(row) == 20 and row[0].isdigit())


def running_in(folder: Path):
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.readlink(entry / "cwd") == str(folder):
                    yield entry.name
            except OSError:
                continue
