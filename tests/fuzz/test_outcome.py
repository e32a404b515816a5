"""The judge itself: each way to end has its outcome, and what is written or left is seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from outcome import Ended, Files, Outcome, classify, leftovers

TRACEBACK = 'Traceback (most recent call last):\n  File "a.py", line 3, in <module>\nKeyError: 1\n'
ENDS = {
    "well": (Ended(0, "done\n"), False, None),
    "clear": (Ended(2, "reading\nError: a.yaml: steps: must be above 0, not -1.\n"), False, Outcome.CLEAR_ERROR),
    "usage": (Ended(2, "Usage: unnp md [OPTIONS]\n"), False, Outcome.CLEAR_ERROR),
    "other-code": (Ended(1, "Error: no.\n"), False, Outcome.TRACEBACK),
    "no-message": (Ended(2, "hello\n"), False, Outcome.TRACEBACK),
    "traceback": (Ended(1, TRACEBACK), False, Outcome.TRACEBACK),
    "traceback-and-well": (Ended(0, TRACEBACK), False, Outcome.TRACEBACK),
    "long": (Ended(2, "Error: a\n" + "b\n" * 20), False, Outcome.TRACEBACK),
    "wide": (Ended(2, f"Error: {'a' * 500}\n"), False, Outcome.TRACEBACK),
    "steering": (Ended(2, "Error: \x1b[2J\n"), False, Outcome.TRACEBACK),
    "torch": (Ended(2, "Error: PytorchStreamReader failed\n"), False, Outcome.TRACEBACK),
    "signal": (Ended(-11, ""), False, Outcome.CRASH),
    "hang": (Ended(None, ""), False, Outcome.HANG),
    "lammps": (Ended(1, "ERROR: Illegal fix momt (lammps_plugin/momt/fix_momt.cpp:55)\n"), True, Outcome.CLEAR_ERROR),
    "lammps-raw": (Ended(1, "terminate called after throwing\nERROR: std::bad_alloc\n"), True, Outcome.TRACEBACK),
    "lammps-crash": (Ended(139, "BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES\n"), True, Outcome.CRASH),
}


@pytest.mark.parametrize("name", ENDS)
def test_how_a_program_ended(name: str) -> None:
    ended, lammps, outcome = ENDS[name]
    verdict = classify(ended, lammps=lammps)
    assert (verdict.outcome if verdict else None) == outcome


def test_what_is_written_or_removed_is_seen(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("1")
    (tmp_path / "gone").write_text("1")
    (tmp_path / "out").mkdir()
    before = Files.of(tmp_path, ["out"])
    assert before.changed(["out"]) == []
    (tmp_path / "out/inside").write_text("allowed")
    (tmp_path / "kept").write_text("2")
    (tmp_path / "gone").unlink()
    (tmp_path / "new").symlink_to("nowhere")
    assert before.changed(["out"]) == ["gone", "kept", "new"]


def test_leftovers_are_seen(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/.x.host-1.part", "a/x", ".model.pt.abc.pt", "state.json.new"):
        (tmp_path / name).touch()
    assert leftovers(tmp_path) == [".model.pt.abc.pt", "a/.x.host-1.part", "state.json.new"]
