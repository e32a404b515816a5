"""Trainings as tasks of an executor, each in a run folder of its own, and the model that they make together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unnp.data.progress import counting
from unnp.data.worker_pool import Failure
from unnp.errors import TrainingError
from unnp.evaluate.card import read_metrics
from unnp.executors.base import Executor, run_tasks
from unnp.exported.export import export_model
from unnp.files.writing import make_folder, writing
from unnp.models.checkpoint import load_potential, training_data
from unnp.train.config import TrainConfig
from unnp.train.run import train
from unnp.train.run_folder import RunFolder


@dataclass(frozen=True)
class Member:
    """A training.

    Attributes:
        config: its settings, with absolute paths.
        folder: its run folder; what it prints goes to a file beside it.
    """

    config: TrainConfig
    folder: Path

    @property
    def over(self) -> bool:
        """Whether nothing is left to train: the card is the last that a training writes."""
        return (self.folder / "card.yaml").is_file()

    @property
    def output(self) -> Path:
        """File with what the training prints."""
        return self.folder.with_name(f"{self.folder.name}.out")


def train_members(members: Sequence[Member], executor: Executor, attempts: int) -> None:
    """Train all members that are not finished.

    Args:
        members: the committee.
        executor: trains them.
        attempts: how often each is tried.

    Raises:
        TrainingError: a member cannot be trained; what the others have finished is kept.
    """
    todo = [(k, member) for k, member in enumerate(members) if not member.over]
    results = run_tasks(executor, start_training, todo, attempts)
    with closing(results), counting("training", len(members), len(members) - len(todo)) as advance:
        for k, outcome in results:
            if isinstance(outcome, Failure):
                raise TrainingError(f"{members[k].folder} cannot be trained: {outcome.message}")
            advance()


def validation_errors(members: Sequence[Member]) -> list[dict[str, Any]]:
    """Return the error tables of finished members on their validation structures."""
    return [read_metrics(member.folder).get("validation", {}).get("overall", {}) for member in members]


def start_training() -> Callable[[Member], None]:
    """Return the function that trains one member."""
    return _train


def _train(member: Member) -> None:
    make_folder(member.folder.parent)
    with writing(member.output):
        file = member.output.open("a", encoding="utf-8")
    with file, redirect_stdout(file), redirect_stderr(file):
        train(member.config, member.folder, resume=RunFolder(member.folder).config.exists())


def export_committee(members: Sequence[Member], path: Path, name: str) -> None:
    """Write the members into one model file; raise ModelError where that is not possible."""
    loaded = [load_potential(member.folder) for member in members]
    export_model([potential for potential, _ in loaded], path, name=name, data=training_data(loaded[0][1]))
