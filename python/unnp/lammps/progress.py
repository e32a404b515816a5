"""What a molecular dynamics run shows: a live bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from unnp.lammps.log import LammpsLog
from unnp.units import BAR_PER_GPA

PLAIN_SECONDS = 30.0


class MdProgress:
    """Follows the log of a run; use in a ``with`` block and hand it to ``run_lammps`` as ``follow``.

    Args:
        steps: number of the last step.
        n_minimisations: thermo blocks before the dynamics.
    """

    def __init__(self, steps: int, n_minimisations: int = 0) -> None:
        self._steps = steps
        self._skip = n_minimisations
        self._next_line = 0.0
        self._last_step = -1
        self._bar: Progress | None = None
        if Console(file=sys.stdout).is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
            )
            self._task = self._bar.add_task("starting", total=steps)

    def __enter__(self) -> MdProgress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, log: LammpsLog) -> None:
        """Show where the run is."""
        blocks = [block for block in log.blocks if {"Step", "Temp", "Press", "PotEng"} <= set(block.names)]
        if len(blocks) <= self._skip:
            if blocks and self._bar:
                self._bar.update(self._task, description="minimising")
            return
        block = blocks[-1]
        if not block.rows:
            return
        row = dict(zip(block.names, block.rows[-1], strict=True))
        step = int(row["Step"])
        text = f"{row['Temp']:.0f} K  {row['Press'] / BAR_PER_GPA:.2f} GPa  {row['PotEng']:.3f} eV"
        if self._bar:
            self._bar.update(self._task, completed=step, description=text)
        else:
            self._line(step, text, last=block.finished)

    def _line(self, step: int, text: str, last: bool) -> None:
        now = time.monotonic()
        if step == self._last_step or (now < self._next_line and not last):
            return
        self._last_step, self._next_line = step, now + PLAIN_SECONDS
        print(f"step {step}/{self._steps}  {text}", flush=True)
