"""What proposers that run a workflow with the current model have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, JsonValue

from unnp.atoms.structure import Structure
from unnp.config import Config, from_dict
from unnp.data.progress import counting
from unnp.data.readers.options import UNLABELLED
from unnp.data.readers.reading import read_structures
from unnp.data.worker_pool import Failure
from unnp.errors import ConfigError, UnnpError
from unnp.executors.base import run_tasks
from unnp.files.writing import make_folder, read_json, writing
from unnp.lammps.captured import SORTED_FILE
from unnp.lammps.system_config import RunConfig
from unnp.workflows.learn.last_layer import last_layer_file
from unnp.workflows.learn.proposers.base import Proposer, none_left, stored
from unnp.workflows.learn.proposers.captured import captured_frames
from unnp.workflows.learn.situation import Situation, Unlabelled

LARGEST_SEED = 99_999_999
SAME = 1e-6
"""Frames are the same where no coordinate differs by more [A]; files have eight decimals."""


class ExploringConfig(Config):
    """Runs with the model of the round, whose frames are proposed."""

    runs: list[dict[str, JsonValue]] = Field(min_length=1)
    """Settings of each run, without `potential`; seeds that are not given change from round to round."""
    take: Literal["trajectory", "captured", "both"] = "trajectory"
    """Which frames of a run: those that it writes evenly in time or chooses, those that its `capture` has kept, or both."""
    frames: int | None = Field(default=None, ge=1)
    """Frames of the trajectory of each run that are proposed, evenly in time; null: all."""


@dataclass(frozen=True)
class Run:
    """A run.

    Attributes:
        config: all settings.
        base: where relative paths in it begin.
        folder: of the run.
        start: runs it, or goes on with it.
    """

    config: RunConfig
    base: Path
    folder: Path
    start: Callable[..., object]


class Exploring(Proposer):
    """Proposes the frames of runs; one that ends early gives those that it has written.

    A subclass names the settings of a run, what runs it, and the files of its frames.
    """

    Config = ExploringConfig
    settings: ClassVar[type[RunConfig]]

    def __init__(self, config: Any, base: Path, name: str) -> None:
        super().__init__(config, base, name)
        for k in range(len(config.runs)):
            run = self._config(k, {"model": "model.pt"}, seed=1)
            if config.take != "trajectory" and run.capture is None:
                raise ConfigError(f"propose.{name}: runs.{k} has no `capture` that would keep frames to take.")
            if run.structure.file is not None and not (base / run.structure.file).is_file():
                raise ConfigError(
                    f"propose.{name}: runs.{k}.structure.file: {base / run.structure.file} does not exist, or is no file."
                )

    @abstractmethod
    def starter(self) -> Callable[..., object]:
        """Return the function of (config, base, folder, resume=...) that runs a run; picklable."""

    @abstractmethod
    def files(self, run: Path) -> Sequence[Path]:
        """Return the files with the frames of a run, as far as there are any."""

    def propose(self, at: Situation) -> Sequence[Structure]:
        return stored(self.folder(at) / "structures", partial(self._explored, at))

    def _explored(self, at: Situation) -> Iterator[Structure]:
        if at.model is None:
            raise ConfigError(f"propose.{self.name} needs a model; give `start` labelled structures.")
        seeds = at.random(self.name).integers(1, LARGEST_SEED, size=len(self.config.runs))
        folders = [self.folder(at) / f"run-{k}" for k in range(len(seeds))]
        runs = [
            (k, Run(self._config_at(k, at, int(seeds[k])), self.base, folders[k], self.starter()))
            for k in range(len(seeds))
        ]
        results = run_tasks(at.executor, _start, runs, attempts=1)
        ended: list[str] = []
        with closing(results), counting("exploring", len(runs)) as advance:
            for k, outcome in results:
                if isinstance(outcome, Failure):
                    print(f"{folders[k]} ended early: {outcome.message}", flush=True)
                    ended.append(f"run-{k}: {outcome.message}")
                advance()
        sorted_out = Counter[str]()
        for folder in folders:
            sorted_out.update(self._sorted_out(folder))
        self.leave_out(at, sorted_out, ended)
        frames = chain.from_iterable(map(self._frames, folders))
        first = next(frames, None)
        if first is not None:
            yield from chain([first], frames)
        elif len(ended) == len(runs):
            raise none_left(self.name, ended)

    def _config_at(self, k: int, at: Situation, seed: int) -> Any:
        """Return the settings of a run of a round; deviations of a model of one member are those of its last layer."""
        config = self._config(k, {"model": str(at.model)}, seed)
        if config.watched and at.potential.manifest.n_members < 2:
            return self._config(k, {"model": str(at.model), "last_layer": str(last_layer_file(at))}, seed)
        return config

    def _config(self, k: int, potential: dict[str, str], seed: int) -> Any:
        given = self.config.runs[k]
        if "potential" in given:
            raise ConfigError(
                f"propose.{self.name}: runs.{k} may not hold `potential`, which is the model of the round."
            )
        content = {"seed": seed, **given, "potential": potential}
        return from_dict(content, self.settings, where=f"propose.{self.name}: runs.{k}")

    def _frames(self, run: Path) -> Iterator[Structure]:
        if self.config.take != "captured":
            yield from self._trajectory(run)
        if self.config.take != "trajectory":
            yield from (frame.structure for frame in captured_frames(run))

    def _sorted_out(self, run: Path) -> dict[str, int]:
        """Return which captured frames the run has left out, where they are asked for."""
        path = run / SORTED_FILE
        asked = self.config.take != "trajectory" and path.exists()
        return dict(read_json(path)["left_out"]) if asked else {}

    def _trajectory(self, run: Path) -> Iterator[Structure]:
        frames = without_repeats(frame for path in self.files(run) for frame in read_structures(path, UNLABELLED))
        wanted = min(self.config.frames or len(frames), len(frames))
        kept = np.linspace(0, max(0, len(frames) - 1), wanted).round().astype(int)
        yield from Unlabelled([frames[int(k)] for k in kept])


def without_repeats(frames: Iterable[Structure]) -> list[Structure]:
    """Return frames without those that are the frame before once more, as where a run went on from a restart file."""
    kept: list[Structure] = []
    for frame in frames:
        if not (kept and len(kept[-1]) == len(frame) and np.abs(kept[-1].positions - frame.positions).max() < SAME):
            kept.append(frame)
    return kept


def _start() -> Callable[[Run], None]:
    return _explore


def _explore(run: Run) -> None:
    """Run one run; what it prints goes to a file beside its folder."""
    make_folder(run.folder.parent)
    output = run.folder.with_name(f"{run.folder.name}.out")
    with writing(output):
        file = output.open("a", encoding="utf-8")
    with file, redirect_stdout(file):
        try:
            begun = any(run.folder.glob("*.yaml"))  # its settings are the last that is written before it begins
            run.start(run.config, run.base, run.folder, resume=begun)
        except UnnpError as error:
            print(error)
            raise
