"""What became of a damaged or hostile input, and how that is told from exit code, output and the files around it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

RESULTS = "UNNP_FUZZ_RESULTS"
"""Variable of the environment: folder that gets one line of JSON per case."""
MOST_LINES = 12
MOST_CHARACTERS = 400


class Outcome(StrEnum):
    """The columns of the tables; see `FAULTS` for those that must stay empty."""

    RIGHT = "right answer"
    CLEAR_ERROR = "clear error"
    HARMLESS = "harmless"
    WRONG = "wrong answer"
    TRACEBACK = "traceback"
    CRASH = "crash"
    HANG = "hang"
    WRITTEN = "written file"


FAULTS = (Outcome.TRACEBACK, Outcome.CRASH, Outcome.HANG, Outcome.WRONG, Outcome.WRITTEN)


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes:
        code: exit code; minus the signal that killed it; None where it was ended by us at the limit of time.
        output: what it printed, both streams.
        seconds: wall time.
    """

    code: int | None
    output: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """An outcome and why."""

    outcome: Outcome
    why: str = ""

    @property
    def is_fault(self) -> bool:
        return self.outcome in FAULTS


# What a user cannot act on: Python's own traceback, or the words of libtorch, C++ and the interpreter of TorchScript.
_RAW = re.compile(
    r"Traceback \(most recent call last\)|^\s*File \"[^\"]+\", line \d+|"
    r"c10::|std::[a-z_]+|terminate called|Exception raised from|frame #\d+:|TorchScript interpreter|"
    r"INTERNAL ASSERT|PytorchStreamReader|Segmentation fault|core dumped|[\w/]+\.cpp:\d+\] ",
    re.MULTILINE,
)
_LAMMPS_OWN = re.compile(r"\(src/[\w./+-]+:\d+\)|\([\w./+-]*lammps[\w./+-]*:\d+\)|\([./\w+-]+\.(?:cpp|h):\d+\)")


def classify(ended: Ended, *, lammps: bool = False) -> Verdict | None:
    """Return the verdict that the end of a program alone gives; None where it ended well, so that its answer counts.

    Args:
        ended: how it ended.
        lammps: its errors are those of LAMMPS (``ERROR: ...``, exit code not 0) instead of ``Error: ...`` and exit code 2.
    """
    if ended.code is None:
        return Verdict(Outcome.HANG, f"ended after {ended.seconds:.0f} s:\n{ended.output[-500:]}")
    if (
        ended.code < 0
        or 128 < ended.code < 160
        or (lammps and re.search(r"KILLED BY SIGNAL|BAD TERMINATION", ended.output))
    ):
        return Verdict(Outcome.CRASH, f"exit code {ended.code}:\n{ended.output[-1500:]}")
    raw = _RAW.search(_LAMMPS_OWN.sub("", ended.output) if lammps else ended.output)
    if raw:
        return Verdict(Outcome.TRACEBACK, f"raw text {raw.group()!r}:\n{ended.output[-1500:]}")
    if ended.code == 0:
        return None
    return _judge_error(ended, "ERROR" if lammps else "Error: ", None if lammps else 2)


def _judge_error(ended: Ended, start: str, code: int | None) -> Verdict:
    """Return the verdict on an error message: a clear one says it in a few short lines."""
    at = ended.output.rfind(start)
    usage = re.search(r"^Usage: |^╭─ Error", ended.output, re.MULTILINE)  # of the options, as typer says it
    if at < 0 and not usage:
        return Verdict(Outcome.TRACEBACK, f"exit code {ended.code} without a message:\n{ended.output[-1500:]}")
    if code is not None and ended.code != code:
        return Verdict(Outcome.TRACEBACK, f"exit code {ended.code} instead of {code}:\n{ended.output[-1500:]}")
    message = ended.output[at:].rstrip() if at >= 0 else ""
    lines = message.splitlines()
    if code is not None and (len(lines) > MOST_LINES or any(len(line) > MOST_CHARACTERS for line in lines)):
        longest = max(map(len, lines))
        return Verdict(
            Outcome.TRACEBACK, f"message of {len(lines)} lines, up to {longest} characters:\n{message[:1500]}"
        )
    steering = re.search(r"[\x00-\x08\x0b-\x1f\x7f]", message.replace("\r\n", "\n"))
    if steering and code is not None:
        return Verdict(Outcome.TRACEBACK, f"the message steers the terminal ({steering.group()!r}): {message[:500]!r}")
    return Verdict(Outcome.CLEAR_ERROR, message.splitlines()[0][:300] if message else "usage")


@dataclass(frozen=True)
class Files:
    """The content of a folder, for finding what was written where nothing should be."""

    root: Path
    content: dict[str, str]

    @classmethod
    def of(cls, root: Path, allowed: Iterable[str] = ()) -> Files:
        """Take a picture of everything in a folder but for ``allowed`` (files or folders, relative)."""
        kept = tuple(allowed)
        content = {}
        for folder, names, files in os.walk(root):
            relative = Path(folder).relative_to(root)
            names[:] = [name for name in names if str(relative / name) not in kept]
            content |= {
                str(relative / name): _digest(root / relative / name)
                for name in files
                if str(relative / name) not in kept
            }
            content[str(relative)] = "folder"
        return cls(root, content)

    def changed(self, allowed: Iterable[str] = ()) -> list[str]:
        """Return what has been written, changed or removed since, but for ``allowed``."""
        now = Files.of(self.root, allowed).content
        before = {name: digest for name, digest in self.content.items() if not _is_below(name, tuple(allowed))}
        return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def _is_below(name: str, kept: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(f"{one}/") for one in kept)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "special"
    except OSError:
        return "unreadable"


def leftovers(root: Path) -> list[str]:
    """Return what killed or failed writers left: temporary files and folders."""
    found = [*root.rglob("*.part"), *root.rglob(".*.new"), *root.rglob("state.json.new"), *root.rglob(".*.pt")]
    return sorted(str(path.relative_to(root)) for path in found)


def record(area: str, kind: str, name: str, verdict: Verdict, seconds: float = 0.0) -> None:
    """Append a case to the results, where `RESULTS` names a folder.

    Args:
        area: the file of results, for instance ``stores``.
        kind: the row of its table, for instance a verb.
        name: of the case.
        verdict: what became of it.
        seconds: that it took.
    """
    folder = os.environ.get(RESULTS)
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    line = {"area": area, "kind": kind, "name": name, **asdict(verdict), "seconds": round(seconds, 2)}
    with (Path(folder) / f"{area}.{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def judge(area: str, kind: str, name: str, verdict: Verdict, seconds: float = 0.0) -> None:
    """Record a case and fail where its outcome is one of `FAULTS`."""
    record(area, kind, name, verdict, seconds)
    assert not verdict.is_fault, f"{area} {name}: {verdict.outcome}: {verdict.why}"
