"""What a MOMT run shows: a live line on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from unnp.lammps.log import LammpsLog
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.watch.tail import Last, last_rows

PLAIN_SECONDS = 30.0


class MomtProgress:
    """Follows the logs of the walkers in one stage; use in a ``with`` block and hand it to ``run_lammps`` as ``follow``.

    Args:
        stage: its name.
        logs: those of the walkers.
        config: the run's configuration.
        first, last: steps at which the stage is begun or gone on with, and at which it ends at the latest.
    """

    def __init__(self, stage: str, logs: list[Path], config: MomtConfig, first: int, last: int) -> None:
        self._stage, self._logs, self._config = stage, logs, config
        self._first, self._end = first, last
        self._began = time.monotonic()
        self._next_line = self._began + PLAIN_SECONDS
        self._seen = (float("inf"), 0.0)
        self.note = ""
        self._bar: Progress | None = None
        if Console(file=sys.stdout).is_terminal:
            self._bar = Progress(TextColumn("{task.description}"), BarColumn(20), TimeRemainingColumn())
            self._task = self._bar.add_task(stage, total=last, completed=first)

    def __enter__(self) -> MomtProgress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, log: LammpsLog | None = None) -> None:
        """Show where the walkers are."""
        last = last_rows(self._logs)
        if last is None:
            return
        text = self._text(last)
        if self._bar:
            self._bar.update(self._task, completed=last.step, description=text)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + PLAIN_SECONDS
            print(f"{text}{self._remaining(last.step)}", flush=True)

    def chunk_done(self, unmet: list[str]) -> None:
        """Say which gates do not hold yet, at the end of a chunk."""
        last = last_rows(self._logs)
        if last is not None and not self._bar:
            print(f"{self._text(last)}  [{'; '.join(unmet) or 'all gates hold'}]", flush=True)

    def say(self, text: str) -> None:
        """Print a line of its own."""
        if self._bar:
            self._bar.console.print(f"{self._stage}: {text}", markup=False, highlight=False)
        else:
            print(f"{self._stage}: {text}", flush=True)

    def _text(self, last: Last) -> str:
        temperatures = [row["effective_temperature"] for row in last.rows]
        self._seen = (min([self._seen[0], *temperatures]), max([self._seen[1], *temperatures]))
        picoseconds = self._config.timestep / 1000
        parts = [f"{self._stage} {last.step * picoseconds:.0f}/{self._end * picoseconds:.0f} ps"]
        if self._config.has_order:
            orders = " ".join(f"{row['order']:.2f}" for row in last.rows[:4])
            parts += [f"{last.round_trips:g} round trips", f"s {orders}"]
        parts.append(f"T_eff {self._seen[0]:.0f}-{self._seen[1]:.0f} K")
        return "  ".join([*parts, self.note] if self.note else parts)

    def _remaining(self, step: int) -> str:
        seconds = time.monotonic() - self._began
        if step <= self._first:
            return ""
        left = seconds / (step - self._first) * (self._end - step)
        return f"  at most {left / 60:.1f} min left"
