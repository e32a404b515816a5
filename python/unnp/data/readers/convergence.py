"""Which steps of a calculation have electronic steps that did not converge: their energies and forces are no labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from unnp.data.readers.text import lines_of
from unnp.data.readers.vasprun import converged_in_vasprun


@dataclass(frozen=True)
class Marks:
    """What a program prints, as regular expressions.

    Attributes:
        failed: electronic steps did not converge.
        reached: they did. The last word of a step counts: programs start the electronic steps anew.
        begins: first line of a step that ASE reads; None: the file is one step, or ASE divides it in a way of its own.
        ends: last line of a step, instead of ``begins``.
        from_start: what stands before the first line of ``begins`` is a step too.
        has_results: ASE reads a step only where a line says this; None: always.
        first_counts: ASE reads the first step even without results.
        steps_allowed: the largest number of electronic steps, and ``step`` the number of one: for VASP before version 6,
            which does not say that it gave up.
    """

    failed: str
    reached: str | None = None
    begins: str | None = None
    ends: str | None = None
    from_start: bool = False
    has_results: str | None = None
    first_counts: bool = False
    steps_allowed: str | None = None
    step: str | None = None


MARKS: dict[str, Marks] = {
    "vasp-out": Marks(
        failed=r"aborting loop.*(not reached|unconverged|hard stop)",
        reached=r"aborting loop because EDIFF is reached",
        ends=r"FREE ENERGIE OF THE ION-ELECTRON SYSTEM",
        steps_allowed=r"^\s*NELM\s*=\s*(\d+)",
        step=r"Iteration\s+\d+\(\s*(\d+)\)",
    ),
    "espresso-out": Marks(
        failed=r"convergence NOT achieved",
        reached=r"convergence has been achieved",
        begins=r"Program PWSCF|ATOMIC_POSITIONS",
        has_results=r"!\s+total energy|Forces acting on atoms|total\s+stress|Magnetic moment per site"
        r"|End of (band structure|self-consistent) calculation",
    ),
    "gpaw-out": Marks(
        failed=r"did not converge",
        reached=r"converged after",
        begins=r"^positions:$",
        has_results=r"energy contributions relative to",
        first_counts=True,
    ),
    "orca-output": Marks(
        failed=r"SCF NOT CONVERGED|Wavefunction not fully converged",
        reached=r"SCF CONVERGED AFTER",
        ends=r"ORCA TERMINATED NORMALLY|ORCA GEOMETRY RELAXATION STEP",
    ),
    "castep-castep": Marks(
        failed=r"max\. SCF cycles performed but system has not reached the groundstate",
        begins=r"BFGS: (starting|improving) iteration|Starting MD iteration",
        from_start=True,
    ),
    "aims-output": Marks(
        failed=r"self-consistency cycle (not|did not|has not)( yet)? converge",
        reached=r"self-consistency cycle converged",
    ),
    "abinit-out": Marks(failed=r"was not enough SCF cycles to converge"),
    "gamess-us-out": Marks(failed=r"SCF IS UNCONVERGED|SCF DID NOT CONVERGE", reached=r"DENSITY CONVERGED"),
    "gaussian-out": Marks(failed=r"Convergence failure|SCF has not converged", reached=r"SCF Done:"),
    "nwchem-out": Marks(failed=r"Calculation failed to converge"),
    "onetep-out": Marks(failed=r"failed to converge|NGWF optimisation not converged"),
}


def converged_steps(path: Path, kind: str) -> list[bool]:
    """Return whether the electronic steps of each step in a file converged; empty for formats that do not say so.

    The file is read once, line by line.

    Args:
        path: output of a program.
        kind: its format, in ASE's words.

    Raises:
        DataError: the file cannot be read.
    """
    if kind == "vasp-xml":
        return list(converged_in_vasprun(path))
    return list(_steps(lines_of(path, errors="replace"), MARKS[kind])) if kind in MARKS else []


def _steps(lines: Iterator[str], marks: Marks) -> Iterator[bool]:
    find = {name: _finder(getattr(marks, name)) for name in ("begins", "ends", "failed", "reached", "has_results")}
    count = _ElectronicSteps(marks)
    inside, counts = marks.begins is None or marks.from_start, marks.has_results is None or marks.first_counts
    converged: bool | None = None
    for line in lines:
        count.look_at(line)
        if find["begins"](line):
            if inside and counts:
                yield converged is not False
                counts = marks.has_results is None
            inside, converged = True, None
        counts = counts or find["has_results"](line)
        if find["failed"](line):
            converged = False
        elif find["reached"](line):
            converged = True
        if find["ends"](line):
            yield converged if converged is not None else not count.all_used
            converged, count.last = None, 0
    if inside and counts and marks.ends is None:
        yield converged is not False


class _ElectronicSteps:
    """Counts electronic steps where the program does not say that there were too few."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._allowed: int | None = None
        self.last = 0

    def look_at(self, line: str) -> None:
        if self._marks.step is None or self._marks.steps_allowed is None:
            return
        if found := re.search(self._marks.step, line):
            self.last = int(found[1])
        elif self._allowed is None and (found := re.search(self._marks.steps_allowed, line)):
            self._allowed = int(found[1])

    @property
    def all_used(self) -> bool:
        return self._allowed is not None and self.last >= self._allowed


def _finder(pattern: str | None) -> Callable[[str], bool]:
    """Return a function that looks for a pattern in a line; nothing is found where there is none."""
    if pattern is None:
        return lambda line: False
    search = re.compile(pattern, re.IGNORECASE).search
    return lambda line: search(line) is not None
