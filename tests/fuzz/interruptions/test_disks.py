"""Full and read-only disks: every verb that writes says so in a line, leaves nothing in the way, and works with room."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from outcome import Outcome, Verdict, classify, judge, leftovers
from runner import Server, run_lmp
from runs import RUNS
from toys import LABELLER, write_frames

pytestmark = pytest.mark.long

SIZES = {"32k": "32k", "300k": "300k", "900k": "900k"}
ROOM = "200m"


@dataclass(frozen=True)
class Writer:
    """A verb that writes: its command line with the output folder in it, and the one that goes on."""

    command: tuple[str, ...]
    again: tuple[str, ...] = ()


OUT = "disk/out"
WRITERS = {
    "train": Writer(("train", "train.yaml", "-o", OUT), ("--resume",)),
    "export": Writer(("export", "run", "-o", f"{OUT}.pt")),
    "evaluate": Writer(("evaluate", "model.pt", "data", "-o", OUT)),
    "data convert": Writer(("data", "convert", "frames.extxyz", "-o", OUT)),
    "data split": Writer(("data", "split", "frames.extxyz", "-o", OUT)),
    "data label": Writer(("data", "label", "plain.extxyz", "-c", "al.yaml", "-o", OUT, "--workers", "1")),
    "data generate": Writer(("data", "generate", "recipe.yaml", "-o", OUT, "--workers", "1")),
    "md": Writer(("md", "md.yaml", "-o", OUT), ("--resume",)),
    "ramp": Writer(("ramp", "ramp.yaml", "-o", OUT), ("--resume",)),
    "sample momt": Writer(("sample", "momt", "momt.yaml", "-o", OUT), ("--resume",)),
    "melt": Writer(("melt", "melt.yaml", "-o", OUT)),
    "elastic": Writer(("elastic", "al.yaml", "--element", "Al", "-a", "4.05", "-o", OUT)),
}
RECIPE = """\
bases: {Al: {prototype: fcc, symbols: Al, a: 4.05}}
calculator: {kind: ase, name: emt}
samples: [{kind: rattled, repeat: [3, 3, 3], count: 20}]
seed: 1
"""
PLACES = {
    "a-file": lambda work: (work / OUT).touch(),
    "below-a-file": lambda work: (shutil.rmtree(work / "disk"), (work / "disk").touch()),
    "dangling": lambda work: (work / OUT).symlink_to("nowhere/at/all"),
}
CASES = [(verb, size) for verb in WRITERS for size in SIZES] + [(verb, "read-only") for verb in WRITERS]
ODD = [(verb, place) for verb in WRITERS for place in PLACES]


@pytest.fixture(scope="session")
def files(toy_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the input of all verbs."""
    folder = tmp_path_factory.mktemp("disks") / "files"
    shutil.copytree(toy_run, folder)
    for run in RUNS.values():
        run.prepare(folder)
    write_frames(folder / "frames.extxyz", 60)
    write_frames(folder / "plain.extxyz", 20, labelled=False, copper=False)
    (folder / "recipe.yaml").write_text(RECIPE)
    assert (folder / "al.yaml").read_text().count(LABELLER["kind"])
    return folder


@pytest.fixture
def disk(files: Path, tmp_path: Path) -> Iterator[Path]:
    """Return a folder with the input and an empty folder ``disk``; what is mounted there is unmounted in the end."""
    work = shutil.copytree(files, tmp_path / "work")
    (work / "disk").mkdir()
    yield work
    if os.path.ismount(work / "disk"):
        subprocess.run(["umount", "-l", work / "disk"], check=True)


def mount(place: Path, *options: str) -> None:
    """Mount a small file system; skip the test where that is not allowed."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", place], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"cannot mount a small disk here: {done.stderr.decode().strip()}")


def check(verb: str, size: str, work: Path, unnp: Server) -> None:
    writer = WRITERS[verb]
    mount(work / "disk", "ro" if size == "read-only" else f"size={SIZES[size]}")
    ended = unnp.run(work, *writer.command, limit=60)
    verdict = classify(ended)
    if verdict and not verdict.is_fault:
        left = leftovers(work / "disk")
        room = ("remount,rw" if size == "read-only" else "remount") + f",size={ROOM}"
        subprocess.run(["mount", "-o", room, work / "disk"], check=True)
        begun = any(path.name != ".lock" for path in (work / OUT).iterdir()) if (work / OUT).is_dir() else False
        tries = [writer.command, (*writer.command, *writer.again)] if writer.again else [writer.command]
        endings = [unnp.run(work, *command, limit=60) for command in (tries[::-1] if begun else tries)]
        if not any(e.code == 0 for e in endings):
            verdict = Verdict(Outcome.WRONG, f"no way to go on when there is room: {endings[0].output[-700:]}")
        elif left:
            verdict = Verdict(Outcome.WRITTEN, f"left on the full disk: {', '.join(left)}")
    judge(
        "disks",
        "full disk" if size in SIZES else "read-only",
        f"{verb} {size}",
        verdict or Verdict(Outcome.RIGHT, "fits"),
        ended.seconds,
    )


@pytest.mark.fuzz
@pytest.mark.parametrize(("verb", "size"), CASES, ids=[f"{verb}-{size}" for verb, size in CASES])
def test_full_and_read_only_disks(verb: str, size: str, disk: Path, unnp: Server) -> None:
    check(verb, size, disk, unnp)


@pytest.mark.parametrize(("verb", "size"), [("export", "32k"), ("data convert", "32k"), ("evaluate", "read-only")])
def test_some_full_disks(verb: str, size: str, disk: Path, unnp: Server) -> None:
    check(verb, size, disk, unnp)


@pytest.mark.fuzz
@pytest.mark.parametrize(("verb", "place"), ODD, ids=[f"{verb}-{place}" for verb, place in ODD])
def test_odd_places(verb: str, place: str, disk: Path, unnp: Server) -> None:
    if place == "a-file" and verb == "export":
        pytest.skip("export replaces a file on purpose")
    PLACES[place](disk)
    ended = unnp.run(disk, *WRITERS[verb].command, limit=60)
    judge("disks", "odd places", f"{verb} {place}", classify(ended) or Verdict(Outcome.RIGHT, "written"), ended.seconds)


LOG = """\
units metal
lattice fcc 4.05
region b block 0 2 0 2 0 2
create_box 1 b
create_atoms 1 box
mass 1 26.98
pair_style eam/fs
pair_coeff * * Al_mm.eam.fs Al
velocity all create 1500 5
fix bias all momt T0 1000 temps 650 1400 12 press 0.0 order sk fcc 2 2 2 {words}
fix box all nph iso 0.0 0.0 1.0
fix heat all temp/csvr 1000 1000 0.1 4711
timestep 0.002
run 3000
"""
WORDS = {"log": "log disk/m.log 5", "state": "state disk/s.json 50", "log-device": "log /dev/full 5"}


@pytest.mark.fuzz
@pytest.mark.parametrize("name", WORDS)
def test_files_of_fix_momt(name: str, disk: Path) -> None:
    from unnp.kim.potential_files import find_files

    mount(disk / "disk", "size=16k")
    (disk / "disk/pad").write_bytes(bytes(8192))
    shutil.copy(find_files("Al_mm.eam.fs", disk).strip('"'), disk)
    (disk / "in.deck").write_text(LOG.format(words=WORDS[name]))
    ended = run_lmp(disk, "-in", "in.deck")
    verdict = classify(ended, lammps=True) or Verdict(Outcome.WRONG, "rows were lost without a word")
    judge("disks", "fix momt", f"fix momt {name}", verdict, ended.seconds)
