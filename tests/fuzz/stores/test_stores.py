"""Damaged data stores: every verb that reads them says so, or gives the answer of the store as it was."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from mutations import Mutant, some
from outcome import Ended, Files, Outcome, Verdict, classify, judge
from runner import Server
from stores.mutants import MUTANTS
from toys import TRAIN, make_store, weights_of

VERBS = {
    "data info": ("data", "info", "data"),
    "evaluate": ("evaluate", "model.pt", "data", "-o", "out"),
    "train": ("train", "train.yaml", "-o", "out"),
}


@dataclass(frozen=True)
class Clean:
    """A folder with a store and a model, and what each verb answers."""

    folder: Path
    answers: dict[str, object]


def answer(verb: str, folder: Path, ended: Ended) -> object:
    """Return what a verb found out."""
    if verb == "data info":
        return ended.output
    if verb == "evaluate":
        return json.loads((folder / "out/errors.json").read_text())
    return weights_of(folder / "out/checkpoints/last.safetensors")


@pytest.fixture(scope="session")
def clean(unnp: Server, toy_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Clean:
    folder = tmp_path_factory.mktemp("stores") / "clean"
    folder.mkdir()
    make_store(unnp, folder)
    shutil.copy(toy_run / "model.pt", folder)
    (folder / "train.yaml").write_text(TRAIN)
    answers = {}
    for verb, arguments in VERBS.items():
        work = shutil.copytree(folder, folder.parent / verb.replace(" ", "-"))
        ended = unnp.run(work, *arguments)
        assert ended.code == 0, ended.output
        answers[verb] = answer(verb, work, ended)
    return Clean(folder, answers)


def check(verb: str, mutant: Mutant, clean: Clean, unnp: Server, tmp_path: Path) -> None:
    work = shutil.copytree(clean.folder, tmp_path / "work")
    mutant.change(work / "data")
    before = Files.of(work, ["out"])
    ended = unnp.run(work, *VERBS[verb])
    verdict = classify(ended) or _of_answer(verb, mutant, clean, work, ended)
    changed = before.changed(["out"])
    if changed:
        verdict = Verdict(Outcome.WRITTEN, ", ".join(changed))
    judge("stores", verb, f"{verb} {mutant.name}", verdict, ended.seconds)


# What a verb need not refuse, because it shows it to the user or does not use it.
SHOWN = {("data info", "energy-1e300"), ("data info", "forces-1e300")}
UNUSED = {("data info", "positions-same")}


def _of_answer(verb: str, mutant: Mutant, clean: Clean, work: Path, ended: Ended) -> Verdict:
    if (verb, mutant.name) in UNUSED or ((verb, mutant.name) in SHOWN and "e+300" in ended.output):
        return Verdict(Outcome.HARMLESS, "shown to the user, or not used by this verb")
    if answer(verb, work, ended) != clean.answers[verb]:
        return Verdict(Outcome.WRONG, f"another answer, without a word:\n{ended.output[-1500:]}")
    if mutant.due == "error":
        return Verdict(Outcome.WRONG, "went on with a damaged store, without a word")
    return Verdict(Outcome.RIGHT)


@pytest.mark.fuzz
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
@pytest.mark.parametrize("verb", VERBS)
def test_damage_is_said_or_harmless(verb: str, mutant: Mutant, clean: Clean, unnp: Server, tmp_path: Path) -> None:
    check(verb, mutant, clean, unnp, tmp_path)


SHORT = some(
    MUTANTS,
    "energy-flip-content",
    "forces-infinite",
    "offsets-flip-header",
    "index-n_structures-huge2",
    "pbc.npy-fifo",
)


@pytest.mark.parametrize("mutant", SHORT, ids=lambda mutant: mutant.name)
def test_some_damage_is_said(mutant: Mutant, clean: Clean, unnp: Server, tmp_path: Path) -> None:
    check("evaluate", mutant, clean, unnp, tmp_path)
