"""Damaged YAML: every verb refuses it in a few lines and writes nothing, or does what the file says."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from configs.mutants import mutants
from mutations import Mutant
from outcome import Ended, Files, Outcome, Verdict, classify, judge
from runner import Server
from runs import MD, MELT, MOMT, RAMP
from toys import LABELLER, TRAIN, weights_of, write_frames

Answers = Callable[[str], dict[str, object]]


@dataclass(frozen=True)
class Verb:
    """A verb that reads YAML: its file, its command line, keys that it needs, and what it writes."""

    content: dict[str, Any]
    command: tuple[str, ...]
    required: tuple[str, ...]
    seconds: float = 30.0


RECIPE = {
    "bases": {"Al": {"prototype": "fcc", "symbols": "Al", "a": 4.05}},
    "calculator": {"kind": "ase", "name": "emt"},
    "samples": [{"kind": "solid", "scales": [0.98, 1.0]}],
    "seed": 1,
}
LABEL = ("data", "label", "frames.extxyz", "-c", "c.yaml", "-o", "out", "--workers", "1")
MELT_QUICK = {**MELT, "lmp": "/bin/false"}
VERBS = {
    "train": Verb(yaml.safe_load(TRAIN), ("train", "c.yaml", "-o", "out"), ("data",)),
    "data generate": Verb(RECIPE, ("data", "generate", "c.yaml", "-o", "out", "--workers", "1"), ("bases", "samples")),
    "data label ase": Verb({"kind": "ase", "name": "emt", "parameters": {}}, LABEL, ("kind", "name")),
    "data label lammps": Verb(LABELLER, LABEL, ("kind", "pair_style", "pair_coeff", "elements")),
    "md": Verb(
        {**MD, "device": "cpu"},
        ("md", "c.yaml", "-o", "out", "--dry-run"),
        ("structure", "potential", "temperature", "steps"),
    ),
    "ramp": Verb(
        {**RAMP, "device": "cpu"},
        ("ramp", "c.yaml", "-o", "out", "--dry-run"),
        ("structure", "potential", "temperatures", "rate"),
    ),
    "sample momt": Verb(
        {**MOMT, "device": "cpu"},
        ("sample", "momt", "c.yaml", "-o", "out", "--dry-run"),
        ("structure", "potential", "temperatures"),
    ),
    "melt": Verb(MELT_QUICK, ("melt", "c.yaml", "-o", "out"), ("structure", "potential", "temperatures")),
    "elastic": Verb(
        LABELLER,
        ("elastic", "c.yaml", "--element", "Al", "-a", "4.05", "-o", "out"),
        ("kind", "pair_style", "elements"),
    ),
}
CASES = [(verb, mutant) for verb, setup in VERBS.items() for mutant in mutants(setup.content, setup.required)]


@pytest.fixture(scope="session")
def folder(toy_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("configs") / "files"
    made.mkdir()
    shutil.copytree(toy_run / "data", made / "data")
    write_frames(made / "frames.extxyz", 3, labelled=False, copper=False)
    return made


def answer(out: Path) -> dict[str, object]:
    """Return what a verb has made of its file: decks and structures, labels, constants, weights."""
    found: dict[str, object] = {}
    for pattern in ("in.*lammps", "cells/*/in.*", "structure.data", "energy.npy", "forces.npy", "elastic.json"):
        found |= {str(path.relative_to(out)): path.read_bytes() for path in out.glob(pattern)}
    weights = out / "checkpoints/last.safetensors"
    return found | ({"weights": weights_of(weights)} if weights.exists() else {})


@pytest.fixture(scope="session")
def answers(folder: Path, unnp: Server, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Return what the verbs make of the files as they are."""
    made: dict[str, dict[str, object]] = {}

    def of(verb: str) -> dict[str, object]:
        if verb not in made:
            work = shutil.copytree(folder, tmp_path_factory.mktemp("whole") / "work")
            (work / "c.yaml").write_text(yaml.safe_dump(VERBS[verb].content))
            unnp.run(work, *VERBS[verb].command)
            made[verb] = answer(work / "out")
            assert made[verb], f"{verb} wrote nothing that could be compared"
        return made[verb]

    return of


def _of_answer(mutant: Mutant, ours: dict[str, object], theirs: dict[str, object], ended: Ended) -> Verdict:
    if mutant.due == "error":
        return Verdict(Outcome.WRONG, f"accepted:\n{ended.output[-600:]}")
    if ours != theirs:
        return Verdict(Outcome.WRONG, f"another answer than that of the file as it was:\n{ended.output[-600:]}")
    return Verdict(Outcome.RIGHT)


def check(verb: str, mutant: Mutant, folder: Path, answers: Answers, unnp: Server, tmp_path: Path) -> None:
    setup = VERBS[verb]
    work = shutil.copytree(folder, tmp_path / "work")
    (work / "c.yaml").write_text(yaml.safe_dump(setup.content))
    mutant.change(work / "c.yaml")
    before = Files.of(work, ["out"])
    ended = unnp.run(work, *setup.command, limit=setup.seconds)
    verdict = classify(ended)
    if verb == "melt" and verdict and not verdict.is_fault and "LAMMPS ended with exit code" in ended.output:
        verdict = None  # accepted: only LAMMPS is not there
    if verdict is None:
        verdict = _of_answer(mutant, answer(work / "out"), answers(verb), ended)
    changed = [name for name in before.changed(["out", "out.unfinished"]) if not name.startswith(".out")]
    if changed:
        verdict = Verdict(Outcome.WRITTEN, ", ".join(changed))
    judge("configs", verb, f"{verb} {mutant.name}", verdict, ended.seconds)


@pytest.mark.fuzz
@pytest.mark.parametrize(("verb", "mutant"), CASES, ids=[f"{verb}-{mutant.name}" for verb, mutant in CASES])
def test_damaged_yaml(verb: str, mutant: Mutant, folder: Path, answers: Answers, unnp: Server, tmp_path: Path) -> None:
    check(verb, mutant, folder, answers, unnp, tmp_path)


SHORT = [
    case
    for case in CASES
    if case[0] in ("md", "data label ase") and case[1].name.endswith(("-deep", "-no-date", "-twice"))
][:6]


@pytest.mark.parametrize(("verb", "mutant"), SHORT, ids=[f"{verb}-{mutant.name}" for verb, mutant in SHORT])
def test_some_damaged_yaml(
    verb: str, mutant: Mutant, folder: Path, answers: Answers, unnp: Server, tmp_path: Path
) -> None:
    check(verb, mutant, folder, answers, unnp, tmp_path)
