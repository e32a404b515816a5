"""What every reader makes of model files: each outcome, also of a process that dies or hangs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mutants import Mutant

WORKER = Path(__file__).with_name("reading_worker.py")
SECONDS = 30
TOLERANCE = 1e-6


def outcomes(files: Sequence[Path], folder: Path) -> dict[tuple[str, str], dict]:
    """Return (file, reader) -> outcome; the worker runs in ``folder`` and is started again where it dies."""
    found: dict[tuple[str, str], dict] = {}
    left = list(files)
    while left:
        command = [sys.executable, str(WORKER), str(SECONDS), *map(str, left)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        found |= {(line["file"], line["reader"]): line for line in lines if "outcome" in line}
        if done.returncode == 0:
            break
        assert lines, done.stderr
        last = lines[-1]
        how = "hang" if done.returncode == -signal.SIGALRM else "crash"
        found[last["file"], last["reader"]] = {"outcome": how, "message": done.stderr[-300:]}
        left = left[[path.name for path in left].index(last["file"]) + 1 :]
    return found


def examine(mutants: Sequence[Mutant], original: Path, folder: Path, sealed: bool) -> tuple[dict, list[str]]:
    """Write mutants, read them, and return the table reader -> outcome -> number, and what must not be.

    Args:
        mutants: variants of ``original``.
        original: the file with the right energy.
        folder: an empty folder; anything that appears in its ``work`` is a file that a mutant has written.
        sealed: the original holds a checksum, so that no variant of its contents may be accepted with another answer.
    """
    work = folder / "work"
    work.mkdir()
    files = []
    for k, mutant in enumerate(mutants):
        path = folder / f"{k:04d}.pt"
        path.write_bytes(mutant.content)
        files.append(path)
    right = outcomes([original.absolute()], work)[original.name, "ase"]["value"]
    found = outcomes(files, work)
    table: dict[str, Counter] = {}
    bad = [f"written: {path.name}" for path in work.iterdir()]
    for k, (mutant, path) in enumerate(zip(mutants, files, strict=True)):
        results = {
            reader: found.get((path.name, reader), {"outcome": "not reached"}) for reader in ("info", "ase", "engine")
        }
        for reader, result in results.items():
            outcome = result["outcome"]
            if outcome == "accepted" and reader == "ase":
                same = abs(result["value"] - right) <= TOLERANCE
                outcome = "right answer" if same else "other answer" if sealed else "another model"
            table.setdefault(reader, Counter())[outcome] += 1
            if outcome not in ("clear error", "right answer", "accepted", "another model", "not reached"):
                bad.append(f"{k} {mutant.kind}, {mutant.what}: {reader}: {outcome}: {result.get('message', '')[:200]}")
        accepted = {reader for reader, result in results.items() if result["outcome"] == "accepted"}
        if len(accepted & {"ase", "engine"}) == 1 or ("info" not in accepted and accepted):
            bad.append(f"{k} {mutant.kind}, {mutant.what}: accepted by {accepted} only; {results}")
    return {reader: dict(counts) for reader, counts in table.items()}, bad
