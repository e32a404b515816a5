"""Disks that are full or read-only, and outputs that cannot be: one line says so, and the next try works."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.errors import UnnpError

EAM = {"pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs {elements}"]}
CRYSTAL = {"element": "Al", "lattice": "fcc", "a": 4.05, "repeat": [3, 3, 3]}
RUNS = {
    "md": (["md"], {"temperature": 300, "steps": 20}),
    "ramp": (["ramp"], {"temperatures": [300, 900, 300], "rate": 10}),
    "momt": (["sample", "momt"], {"temperatures": [650, 1400]}),
    "melt": (["melt"], {"temperatures": 900, "structure": {**CRYSTAL, "repeat": [1, 1, 1]}}),
}


def start(folder: Path, name: str, output: Path, *, dry: bool = True) -> None:
    verb, config = RUNS[name]
    (folder / "al.yaml").write_text(json.dumps({"structure": CRYSTAL, "potential": EAM, **config}))
    words = [*verb, str(folder / "al.yaml"), "-o", str(output), *(["--dry-run"] if dry else [])]
    CliRunner().invoke(build_app(), words, catch_exceptions=False)


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A file system of 64 kB; a potential file alone is larger."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("only root may mount a small file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("name", RUNS)
def test_a_full_disk_is_said_and_blocks_nothing(tmp_path, disk, name):
    with pytest.raises(UnnpError, match="No space left on device") as error:
        start(tmp_path, name, disk / "o")
    assert len(str(error.value).splitlines()) == 1
    assert not list(disk.rglob("*.part"))
    subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
    start(tmp_path, name, disk / "o")
    assert list((disk / "o").rglob("in.*lammps"))


@pytest.mark.parametrize("name", RUNS)
def test_a_disk_that_is_read_only_is_said(tmp_path, disk, name):
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(UnnpError, match="Read-only file system") as error:
        start(tmp_path, name, disk / "o")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("name", RUNS)
def test_an_output_that_cannot_be_a_folder_is_said(tmp_path, name):
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to(tmp_path / "absent/far")
    for output in ("file", "file/below", "dangling/below"):
        with pytest.raises(UnnpError, match=r"cannot write .*"):
            start(tmp_path, name, tmp_path / output)
    assert (tmp_path / "file").read_text() == ""


def test_a_disk_that_fills_while_lammps_runs_is_said(tmp_path, disk):
    subprocess.run(["mount", "-o", "remount,size=2m", disk], check=True)
    verb, config = RUNS["md"]
    settings = {**config, "structure": CRYSTAL, "potential": EAM, "steps": 400, "thermo": 1}
    (tmp_path / "al.yaml").write_text(json.dumps(settings))
    words = [*verb, str(tmp_path / "al.yaml"), "-o", str(disk / "o")]
    CliRunner().invoke(build_app(), [*words, "--dry-run"], catch_exceptions=False)
    used = sum(path.stat().st_size for path in disk.rglob("*") if path.is_file())
    (disk / "pad").write_bytes(b"x" * (2 * 2**20 - used - 80_000))
    with pytest.raises(UnnpError):
        CliRunner().invoke(build_app(), words, catch_exceptions=False)
    (disk / "pad").unlink()
    CliRunner().invoke(build_app(), words, catch_exceptions=False)
    assert json.loads((disk / "o/summary.json").read_text())["steps"] == 400


def test_elastic_looks_at_its_output_before_it_computes(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "al.yaml").write_text(json.dumps({"kind": "lammps", "elements": ["Al"], **EAM}))
    words = ["elastic", str(tmp_path / "al.yaml"), "-o", str(tmp_path / "file/o"), "--element", "Al"]
    with pytest.raises(UnnpError, match="cannot write"):
        CliRunner().invoke(build_app(), words, catch_exceptions=False)
