"""Decks on one and on two ranks: the same numbers on both, or an error; walkers that part company end together."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import structures
from decks import more_cases as more
from decks.cases import BOUNDARIES, KEYWORDS, NEIGHBOURS, PARALLEL, UNITS, Deck
from decks.partitions import PARTITIONS, Partition
from lammps_run import installed, write_data
from outcome import Ended, Outcome, Verdict, classify, judge
from runner import run_lmp
from toy_model import ELEMENTS, write_toy
from unnp.kim.potential_files import find_files

DECKS = [*KEYWORDS, *UNITS, *BOUNDARIES, *PARALLEL, *NEIGHBOURS, *more.FIXES, *more.MINIMISERS, *more.HYBRID]
DECKS += [*more.ODD_ATOMS, *more.COMMANDS, *more.MOMT]
BASE = Deck("control", "control", "agree")
LIMIT = 30.0
# Numbers of two ranks differ by the order of sums, which grows with the size of the numbers.
# Insertions of gcmc draw other random numbers on other ranks; whether the run is sound is tested elsewhere.
TOLERANCE = {"keywords-float32": 1e-3, "fixes-gcmc": np.inf}
SMALL = 1e-6

pytestmark = pytest.mark.skipif(not installed(), reason="needs the compiled plugin, LAMMPS and MPI (make install)")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with models, some of them broken, and data files."""
    made = tmp_path_factory.mktemp("decks") / "files"
    (made / "sub").mkdir(parents=True)
    write_toy(made / "toy.pt")
    write_toy(made / "committee.pt", n_members=3)
    write_toy(made / "loose.pt", connected=False)
    (made / "empty.pt").touch()
    (made / "cut.pt").write_bytes((made / "toy.pt").read_bytes()[:3000])
    for name, atoms in {
        "a": structures.crystal(),
        "tilted": structures.tilted(),
        "pair": structures.pair_cell(),
        "primitive": structures.primitive(),
    }.items():
        write_data(made / f"{name}.data", atoms, ELEMENTS)
    shutil.copy(find_files("Al_mm.eam.fs", made).strip('"'), made)
    return made


@pytest.fixture(scope="session")
def base(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    work = shutil.copytree(folder, tmp_path_factory.mktemp("base") / "work")
    return numbers(_run(BASE.text(), work, 1))


def _run(text: str, work: Path, ranks: int) -> Ended:
    (work / "in.deck").write_text(text)
    return run_lmp(work, "-in", "in.deck", ranks=ranks, limit=LIMIT)


def numbers(ended: Ended) -> np.ndarray:
    """Return the rows of thermo output, (n, columns)."""
    rows = []
    for line in ended.output.splitlines():
        if re.fullmatch(r"\s*\d+(\s+[-+.\deEnaif]+){3,5}\s*", line):
            rows.append([float(word) for word in line.split()])
    width = min(map(len, rows), default=0)
    return np.array([row[:width] for row in rows])


def check(deck: Deck, folder: Path, base: np.ndarray, tmp_path: Path) -> None:
    runs = []
    for ranks in (1, 2):
        work = shutil.copytree(folder, tmp_path / str(ranks))
        os.mkfifo(work / "pipe")
        runs.append(_run(deck.text(), work, ranks))
    verdict = verdict_of(deck, runs, base)
    judge("decks", deck.kind, deck.name, verdict, sum(run.seconds for run in runs))


def verdict_of(deck: Deck, runs: list[Ended], base: np.ndarray) -> Verdict:
    """Return what became of a deck on one and on two ranks."""
    verdicts = [classify(run, lammps=True) for run in runs]
    faults = [verdict for verdict in verdicts if verdict and verdict.is_fault]
    if faults:
        return faults[0]
    if any(verdicts):
        found = next(verdict for verdict in verdicts if verdict)
        if deck.due in ("base", "agree"):
            return Verdict(Outcome.WRONG, f"refused, though it is right: {found.why}")
        if not all(verdicts) and "parallel" not in found.why.lower():
            return Verdict(Outcome.WRONG, f"one number of ranks is refused, the other is not: {found.why}")
        return found
    if deck.due == "error":
        return Verdict(Outcome.WRONG, f"accepted:\n{runs[0].output[-800:]}")
    one, two = map(numbers, runs)
    if not len(one) or not np.isfinite(one).all() or not np.isfinite(two).all():
        return Verdict(
            Outcome.WRONG, f"no numbers, or numbers that are none, without an error:\n{runs[0].output[-800:]}"
        )
    tolerance = TOLERANCE.get(deck.name, SMALL)
    if np.isinf(tolerance):
        return Verdict(Outcome.HARMLESS, "runs; its random numbers depend on the ranks")
    if one.shape != two.shape or not _close(one, two, tolerance):
        return Verdict(Outcome.WRONG, f"one and two ranks differ:\n{one}\n{two}")
    if deck.due == "base" and not _close(one, base, tolerance):
        return Verdict(Outcome.WRONG, f"not the numbers of the plain deck:\n{one}\n{base}")
    return Verdict(Outcome.RIGHT)


def _close(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    return a.shape == b.shape and bool((np.abs(a - b) <= tolerance * (1 + np.abs(b).max(axis=0))).all())


@pytest.mark.fuzz
@pytest.mark.parametrize("deck", DECKS, ids=lambda deck: deck.name)
def test_decks(deck: Deck, folder: Path, base: np.ndarray, tmp_path: Path) -> None:
    check(deck, folder, base, tmp_path)


def _named(*names: str) -> list[Deck]:
    return [deck for deck in DECKS if deck.name in names]


SHORT = _named("keywords-fifo", "momt-sigma-1e-9", "newton-newton-off")


@pytest.mark.parametrize("deck", SHORT, ids=lambda deck: deck.name)
def test_some_decks(deck: Deck, folder: Path, base: np.ndarray, tmp_path: Path) -> None:
    check(deck, folder, base, tmp_path)


def check_partitions(partition: Partition, folder: Path, tmp_path: Path) -> None:
    work = shutil.copytree(folder, tmp_path / "work")
    (work / "in.deck").write_text(partition.text())
    ended = run_lmp(work, "-in", "in.deck", "-partition", "2x1", ranks=2, limit=LIMIT)
    # each partition prints, also its errors, into a file of its own
    own = "".join(path.read_text(errors="replace") for path in sorted(work.glob("screen.*")))
    ended = replace(ended, output=ended.output + own)
    verdict = classify(ended, lammps=True)
    if verdict is None:
        right = partition.due != "error"
        verdict = Verdict(Outcome.RIGHT) if right else Verdict(Outcome.WRONG, f"accepted:\n{ended.output[-800:]}")
    elif verdict.outcome == Outcome.CLEAR_ERROR and partition.due == "run":
        verdict = Verdict(Outcome.WRONG, f"refused, though it is right: {verdict.why}")
    judge("decks", "partitions with walkers", partition.name, verdict, ended.seconds)


@pytest.mark.fuzz
@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda partition: partition.name)
def test_partitions(partition: Partition, folder: Path, tmp_path: Path) -> None:
    check_partitions(partition, folder, tmp_path)


@pytest.mark.parametrize("partition", [p for p in PARTITIONS if p.name == "walkers-quit"], ids=lambda p: p.name)
def test_some_partitions(partition: Partition, folder: Path, tmp_path: Path) -> None:
    check_partitions(partition, folder, tmp_path)
