"""Reading LAMMPS logs, whole or while they grow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from unnp.errors import LammpsError

_LOOP = re.compile(r"Loop time of (\S+) on (\d+) procs? for (\d+) steps? with (\d+) atoms?")
STOPPED = "pair_style unnp: stopped at step "
_GRID = re.compile(r"(\d+) by (\d+) by (\d+) MPI processor grid")


@dataclass
class ThermoBlock:
    """The thermo output of one ``run`` or ``minimize``.

    Attributes:
        names: column titles as LAMMPS prints them ("Step", "Temp", "PotEng").
        rows: one list of numbers per printed step, in LAMMPS units.
        loop_seconds: wall time of the loop [s], None where the run did not end.
        n_ranks, n_steps, n_atoms: of the finished run.
    """

    names: list[str]
    rows: list[list[float]] = field(default_factory=list)
    loop_seconds: float | None = None
    n_ranks: int = 0
    n_steps: int = 0
    n_atoms: int = 0

    @property
    def finished(self) -> bool:
        """Whether LAMMPS came to the end of the run."""
        return self.loop_seconds is not None

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the column ``name``, (n_rows,)."""
        if name not in self.names:
            raise LammpsError(f"the thermo output has no column '{name}'; it has {', '.join(self.names)}.")
        column = self.names.index(name)
        return np.array([row[column] for row in self.rows])


@dataclass
class LammpsLog:
    """What a LAMMPS log says; lines are fed in as they come.

    Attributes:
        version: LAMMPS' version, as printed on the first line.
        blocks: thermo output, one block per run or minimisation.
        warnings: text of every WARNING.
        error: text of the ERROR that ended the run, empty where there was none.
        last_input: the input line LAMMPS stopped at, where it says so.
        stopped: what `pair_style unnp` says where it has stopped the run, else empty.
        n_ranks: product of the processor grid, 0 before it is known.
        ended: whether the last line is the one with which LAMMPS ends.
    """

    version: str = ""
    blocks: list[ThermoBlock] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: str = ""
    last_input: str = ""
    stopped: str = ""
    n_ranks: int = 0
    ended: bool = False
    _state: str = "text"

    def feed(self, line: str) -> None:
        """Take in one line of the log."""
        line = line.strip()
        self.ended = line.startswith("Total wall time:") or (self.ended and not line)
        if line.startswith("LAMMPS (") and not self.version:
            self.version = line
        elif line.startswith("WARNING"):
            self.warnings.append(line.partition(":")[2].strip() or line)
        elif line.startswith("ERROR"):
            self.error, self._state = line.removeprefix("ERROR").lstrip(": "), "error"
        elif line.startswith(("Last input line:", "Last command:")):
            self.last_input, self._state = line.partition(":")[2].strip(), "text"
        elif line.startswith(STOPPED):
            self.stopped = line.removeprefix("pair_style unnp: ")
        elif self._state == "header" and line:
            self.blocks.append(ThermoBlock(line.split()))
            self._state = "thermo"
        elif line.startswith("Per MPI rank memory allocation"):
            self._state = "header"
        elif grid := _GRID.search(line):
            self.n_ranks = int(grid[1]) * int(grid[2]) * int(grid[3])
        elif self._state == "thermo":
            self._row(line)
        elif self._state == "error":
            self._more_error(line)

    def _more_error(self, line: str) -> None:
        if line and not line.startswith(("For more information", "Abort(")):
            self.error += " " + line
        else:
            self._state = "text"

    def _row(self, line: str) -> None:
        block = self.blocks[-1]
        if loop := _LOOP.match(line):
            block.loop_seconds = float(loop[1])
            block.n_ranks, block.n_steps, block.n_atoms = int(loop[2]), int(loop[3]), int(loop[4])
            self._state = "text"
            return
        try:
            row = [float(word) for word in line.split()]
        except ValueError:  # output of another command between two rows
            return
        if len(row) == len(block.names):
            block.rows.append(row)


def read_log(path: str | Path) -> LammpsLog:
    """Read a LAMMPS log, also one that ends in the middle of a line; raise LammpsError where there is none."""
    path = Path(path)
    follower = LogFollower(path)
    follower.read()
    if not path.is_file():
        raise LammpsError(f"there is no LAMMPS log {path}.")
    return follower.log


def logs_of(folder: Path) -> list[LammpsLog]:
    """Return the logs of a run and its continuations, ``log.lammps``, ``log.1.lammps`` ..., in order."""
    later = sorted(folder.glob("log.*.lammps"), key=lambda path: int(path.name.split(".")[1]))
    return [read_log(path) for path in (folder / "log.lammps", *later) if path.is_file()]


def joined(blocks: Sequence[ThermoBlock]) -> dict[str, np.ndarray]:
    """Return blocks of the same columns as one table by title; a step that stands twice is taken from the later one.

    Args:
        blocks: first to last, at least one with rows; their first column is the step.
    """
    tables = [np.array(block.rows) for block in blocks if block.rows]
    names = next(block.names for block in blocks if block.rows)
    whole = tables[0]
    for later in tables[1:]:
        whole = np.concatenate([whole[whole[:, 0] < later[0, 0]], later])
    return {name: whole[:, column] for column, name in enumerate(names)}


class LogFollower:
    """Reads a log that is being written, as far as its lines are complete."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = LammpsLog()
        self._position = 0

    def read(self) -> None:
        """Take in what was written since the last call; a line without its end waits, as its last number may be cut."""
        if not self.path.is_file():
            return
        with self.path.open("rb") as file:
            file.seek(self._position)
            content = file.read()
        complete = content[: content.rfind(b"\n") + 1]
        self._position += len(complete)
        for line in complete.decode(errors="replace").splitlines():
            self.log.feed(line)
