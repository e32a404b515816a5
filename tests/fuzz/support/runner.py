"""Running command lines of unnp, and LAMMPS, under a limit of time: a crash or a hang ends the case, not the suite."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from outcome import Ended

BIN = Path(sys.executable).parent
LIMIT = 30.0
"""Seconds before a command counts as hanging; machines are busy."""
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MPLBACKEND": "Agg", "COLUMNS": "200", "NO_COLOR": "1"}


def environment() -> dict[str, str]:
    """Return the variables that commands run with: one thread, the programs of this installation."""
    return os.environ | _ENVIRONMENT | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


@dataclass
class Running:
    """A command line that has been started."""

    pid: int
    output: Path
    begun: float
    server: Server

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send the process, not what it started, a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def is_running(self) -> bool:
        """Return whether it has not ended yet."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    def wait(self, limit: float = LIMIT) -> Ended:
        """Return how it ended; end it, and all it started, where it takes longer than ``limit`` seconds."""
        code = self.server.ask({"wait": self.pid, "seconds": limit})["code"]
        if code is None:
            end_session(self.pid)
            self.server.ask({"wait": self.pid, "seconds": 30})
        text = self.output.read_text(errors="replace")
        self.output.unlink()
        return Ended(code, text, time.monotonic() - self.begun)


class Server:
    """Forks command lines from a process that has imported everything; see `server.py`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        script = Path(__file__).with_name("server.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        )

    def ask(self, request: dict) -> dict:
        """Send a request and return the answer."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def start(self, folder: Path, *arguments: str | Path, **variables: str) -> Running:
        """Start ``unnp ARGUMENTS`` in a folder, with variables of the environment."""
        output = self._folder / f"{next(self._numbers)}.out"
        request = {"start": list(map(str, arguments)), "folder": str(folder), "output": str(output)}
        begun = time.monotonic()
        pid = self.ask({**request, "environment": variables})["pid"]
        return Running(pid, output, begun, self)

    def run(self, folder: Path, *arguments: str | Path, limit: float = LIMIT, **variables: str) -> Ended:
        """Run ``unnp ARGUMENTS`` in a folder and return how it ended."""
        return self.start(folder, *arguments, **variables).wait(limit)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def run_lmp(folder: Path, *arguments: str, ranks: int = 1, limit: float = LIMIT) -> Ended:
    """Run ``lmp ARGUMENTS`` under mpirun in a folder and return how it ended.

    What mpirun loses of the output of ranks that abort is taken from the log, which is removed.
    """
    begun = time.monotonic()
    command = [str(BIN / "mpirun"), "-n", str(ranks), str(BIN / "lmp"), "-log", ".log", *arguments]
    output = folder / ".printed"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(limit)
        except subprocess.TimeoutExpired:
            end_session(process.pid)
            process.wait()
            code = None
    text = output.read_text(errors="replace")
    output.unlink()
    for log in sorted(folder.glob(".log*")):
        errors = [line for line in log.read_text(errors="replace").splitlines(True) if line.startswith("ERROR")]
        text += "" if "ERROR" in text else "".join(errors)
        log.unlink()
    return Ended(code, text, time.monotonic() - begun)


def end_session(leader: int) -> None:
    """Kill a process that leads a session and all processes that it, or a child of it, has started."""
    for pid in [leader, *descendants(leader)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Return children, their children and so on, of a process."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found, new = [], [pid]
    while new:
        new = [child for child, parent in parents.items() if parent in new]
        found += new
    return found


def working_in(folder: Path) -> list[int]:
    """Return the processes of LAMMPS and its launcher whose working directory is a folder or lies in it."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            name = (entry / "comm").read_text().strip()
            where = (entry / "cwd").readlink()
            if name.startswith(("lmp", "mpi", "hydra")) and (where == folder or folder in where.parents):
                found.append(int(entry.name))
    return found
