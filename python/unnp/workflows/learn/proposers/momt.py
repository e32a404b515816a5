"""MOMT with the current model: solid, liquid and what is between them, over a range of temperatures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from unnp.workflows.learn.proposers.base import register
from unnp.workflows.learn.proposers.exploring import Exploring
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.frames.write import FRAMES_FILE
from unnp.workflows.momt.run import run_momt


@register("momt")
class Momt(Exploring):
    """The frames that runs of `unnp sample momt` choose; `frames.wanted` of a run says how many."""

    settings = MomtConfig

    def starter(self) -> Callable[..., object]:
        return run_momt

    def files(self, run: Path) -> Sequence[Path]:
        return [path for path in [run / FRAMES_FILE] if path.is_file()]
