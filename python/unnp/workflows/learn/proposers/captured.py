"""Frames that earlier runs have captured, because the model that moved the atoms may be off in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from pydantic import Field, PositiveFloat

from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.data.limits import FrameLimits
from unnp.errors import ConfigError
from unnp.lammps.captured import CAPTURED_FILE, KEPT_FILE, Captured, read_captured, sort_out, told
from unnp.workflows.learn.proposers.base import Proposer, register, stored
from unnp.workflows.learn.situation import Situation


class CapturedConfig(Config):
    """Frames that runs with `capture` have kept: `unnp md`, `unnp sample momt`, or a deck with `pair_style unnp capture`."""

    data: list[str] = Field(min_length=1)
    """Folders of runs, or files of captured frames; they are read anew in each round, of a run that goes on as far as they are
    written."""
    above: PositiveFloat | None = None
    """Deviation of a force [eV/A], as the run has found it, below which a frame is left out; null: none is."""
    limits: FrameLimits | None = FrameLimits()
    """Frames that no atoms could be in; null: all are taken."""


@register("captured")
class CapturedFrames(Proposer):
    """Proposes the captured frames of runs, those with the largest deviation first."""

    Config = CapturedConfig
    needs_model = False

    def __init__(self, config: CapturedConfig, base: Path, name: str) -> None:
        super().__init__(config, base, name)
        for path in config.data:
            if not (base / path).exists():
                raise ConfigError(
                    f"propose.{name}: {base / path} does not exist; name a file of captured frames, or a run's folder."
                )

    def propose(self, at: Situation) -> Sequence[Structure]:
        return stored(self.folder(at) / "structures", partial(self._captured, at))

    def _captured(self, at: Situation) -> Iterator[Structure]:
        frames: list[Captured] = []
        for path in self.config.data:
            frames += (found := list(captured_frames(self.base / path)))
            if not found:
                print(f"{self.name}: {self.base / path} holds no captured frames; its run needs `capture`.", flush=True)
        loud = [frame for frame in frames if self.config.above is None or frame.deviation >= self.config.above]
        loud.sort(key=lambda frame: -frame.deviation)
        sorted_out = sort_out(loud, self.config.limits)
        print(f"{self.name}: frames captured: {told(sorted_out.summary)}", flush=True)
        self.leave_out(at, sorted_out.left_out)
        yield from (frame.structure for frame in sorted_out.kept)


def captured_frames(path: Path) -> Iterator[Captured]:
    """Yield the frames of a file, or of a run's folder: those that it has kept at its end, all so far where it goes on.

    Raises:
        LammpsError: the file is damaged, or holds other frames.
    """
    files = [path / KEPT_FILE, path / CAPTURED_FILE] if path.is_dir() else [path]
    if file := next((file for file in files if file.is_file()), None):
        yield from read_captured(file)
