"""Molecular dynamics with the current model: ramps, pressures, strained and defective crystals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from unnp.workflows.learn.proposers.base import register
from unnp.workflows.learn.proposers.exploring import Exploring
from unnp.workflows.md.config import MdConfig
from unnp.workflows.md.run import run_md


@register("md")
class Md(Exploring):
    """The frames of runs of `unnp md`; `dump` says how far apart they are."""

    settings = MdConfig

    def starter(self) -> Callable[..., object]:
        return run_md

    def files(self, run: Path) -> Sequence[Path]:
        """Return the parts of the trajectory in the order of time: each start of the run has written one."""
        return sorted(run.glob("trajectory*.extxyz"), key=_part)


def _part(path: Path) -> int:
    """Return the number of a part: 0 of ``trajectory.extxyz``, 2 of ``trajectory.2.extxyz``."""
    number = path.name.split(".")[1]
    return int(number) if number.isdigit() else 0
