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
        return sorted(run.glob("trajectory*.extxyz"))
