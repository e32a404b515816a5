"""Damaged and tampered trainings: `unnp export` and `unnp train --resume` say so, or come to the same weights."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from checkpoints.mutants import EXPORT, FILES_EXPORT, FILES_RESUME, RESUME
from mutations import Mutant, some
from outcome import Files, Outcome, Verdict, classify, judge
from runner import Server, environment
from toys import weights_of

RESUME_IT = ("train", "train.yaml", "-o", "run", "--resume")
EXPORT_IT = ("export", "run", "-o", "out.pt")
KILLED = """
import os, signal, sys
from unnp.cli import main
from unnp.train.run_folder import RunFolder
save, saved = RunFolder.save, []

def save_and_die(self, *arguments, **named):
    save(self, *arguments, **named)
    saved.append(1)
    if len(saved) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

RunFolder.save = save_and_die
sys.argv = ["unnp", "train", "train.yaml", "-o", "run"]
main()
"""


@pytest.fixture(scope="session")
def stopped(toy_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a training of three epochs that was killed after the second one's checkpoint."""
    folder = tmp_path_factory.mktemp("stopped") / "clean"
    folder.mkdir()
    shutil.copy(toy_run / "train.yaml", folder)
    shutil.copytree(toy_run / "data", folder / "data")
    done = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=folder, env=environment(), capture_output=True, check=False
    )
    assert done.returncode == -9, done.stderr
    return folder


def model_content(path: Path) -> dict[str, bytes]:
    """Return the numbers and the code of an exported model, without its manifest."""
    with zipfile.ZipFile(path) as archive:
        kept = [name for name in archive.namelist() if "/data/" in name or "/code/" in name or "/constants" in name]
        return {name.partition("/")[2]: archive.read(name) for name in kept}


def check_export(mutant: Mutant, toy_run: Path, unnp: Server, tmp_path: Path) -> None:
    shutil.copytree(toy_run / "run", tmp_path / "run", symlinks=True)
    mutant.change(tmp_path / "run")
    before = Files.of(tmp_path, ["out.pt"])
    ended = unnp.run(tmp_path, *EXPORT_IT)
    verdict = classify(ended)
    if verdict is None:
        same = model_content(tmp_path / "out.pt") == model_content(toy_run / "model.pt")
        verdict = _of_answer(same, mutant, ended.output)
    changed = before.changed(["out.pt"])
    if changed:
        verdict = Verdict(Outcome.WRITTEN, ", ".join(changed))
    judge("checkpoints", "export", f"export {mutant.name}", verdict, ended.seconds)


def check_resume(mutant: Mutant, stopped: Path, toy_run: Path, unnp: Server, tmp_path: Path) -> None:
    work = shutil.copytree(stopped, tmp_path / "work", symlinks=True)
    mutant.change(work / "run")
    before = Files.of(work, ["run"])
    ended = unnp.run(work, *RESUME_IT)
    verdict = classify(ended)
    if verdict is None:
        names = ("last", "kept")
        ours, theirs = (
            [weights_of(folder / f"run/checkpoints/{n}.safetensors") for n in names] for folder in (work, toy_run)
        )
        verdict = _of_answer(ours == theirs, mutant, ended.output)
        if not verdict.is_fault and "resuming at epoch" not in ended.output:
            verdict = Verdict(
                Outcome.WRONG, f"began again from the first epoch, without a word:\n{ended.output[-500:]}"
            )
    changed = before.changed(["run"])
    if changed:
        verdict = Verdict(Outcome.WRITTEN, ", ".join(changed))
    judge("checkpoints", "train --resume", f"resume {mutant.name}", verdict, ended.seconds)


# Another checkpoint took the place of the damaged one, and the output says so.
SAID = re.compile(r"WARNING.*(previous|last|kept)\.safetensors|(last|previous)\.safetensors is taken", re.DOTALL)


def _of_answer(same: bool, mutant: Mutant, output: str) -> Verdict:
    if not same:
        return Verdict(Outcome.WRONG, f"other weights, without a word:\n{output[-1500:]}")
    if mutant.due == "error" and not SAID.search(output):
        return Verdict(Outcome.WRONG, "went on with a damaged checkpoint, without a word")
    return Verdict(Outcome.RIGHT)


def test_a_killed_training_comes_to_the_same_weights(
    stopped: Path, toy_run: Path, unnp: Server, tmp_path: Path
) -> None:
    check_resume(Mutant("control", lambda path: None, "same"), stopped, toy_run, unnp, tmp_path)


@pytest.mark.fuzz
@pytest.mark.parametrize("mutant", [*FILES_EXPORT, *EXPORT], ids=lambda mutant: mutant.name)
def test_export_of_a_damaged_run(mutant: Mutant, toy_run: Path, unnp: Server, tmp_path: Path) -> None:
    check_export(mutant, toy_run, unnp, tmp_path)


@pytest.mark.fuzz
@pytest.mark.parametrize("mutant", [*FILES_RESUME, *RESUME], ids=lambda mutant: mutant.name)
def test_resuming_a_damaged_run(mutant: Mutant, stopped: Path, toy_run: Path, unnp: Server, tmp_path: Path) -> None:
    check_resume(mutant, stopped, toy_run, unnp, tmp_path)


KEPT, LAST = "checkpoints-kept.safetensors-", "checkpoints-last.safetensors-"
SHORT_EXPORT = some(
    [*FILES_EXPORT, *EXPORT], f"{KEPT}flip1", f"{KEPT}version-0", f"{KEPT}dtype-text", "card.yaml-latin1"
)
SHORT_RESUME = some([*FILES_RESUME, *RESUME], f"{LAST}gone", f"{LAST}optimizer-gone", f"{LAST}position-object")


@pytest.mark.parametrize("mutant", SHORT_EXPORT, ids=lambda mutant: mutant.name)
def test_some_damage_to_what_is_exported(mutant: Mutant, toy_run: Path, unnp: Server, tmp_path: Path) -> None:
    check_export(mutant, toy_run, unnp, tmp_path)


@pytest.mark.parametrize("mutant", SHORT_RESUME, ids=lambda mutant: mutant.name)
def test_some_damage_to_what_is_resumed(
    mutant: Mutant, stopped: Path, toy_run: Path, unnp: Server, tmp_path: Path
) -> None:
    check_resume(mutant, stopped, toy_run, unnp, tmp_path)
