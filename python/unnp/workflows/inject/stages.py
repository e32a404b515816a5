"""The stages of a seed, as tasks of an executor: pretraining, classifiers, trainings."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from unnp.data.progress import counting
from unnp.data.worker_pool import Failure
from unnp.errors import ConfigError, TrainingError
from unnp.executors.base import Executor, run_tasks
from unnp.files.writing import make_folder
from unnp.train.members import Member, train_members
from unnp.train.run_folder import changed_since
from unnp.workflows.inject.classifier import start_classifier
from unnp.workflows.inject.classifiers import classifiers
from unnp.workflows.inject.runs import Run, pretrainings, runs
from unnp.workflows.inject.seeds import Seed


def train_all(seed: Seed, executor: Executor, attempts: int) -> list[Run]:
    """Do what is not finished of a seed, and return its trainings on DFT labels.

    Raises:
        ConfigError: a training has begun with other settings.
        TrainingError: a training or a classifier failed; what the others have finished is kept.
    """
    seed.write_data()
    _train(pretrainings(seed), f"seed {seed.seed}: pretraining", executor, attempts)
    _classify(seed, executor, attempts)
    found = runs(seed)
    _train([run.member for run in found], f"seed {seed.seed}: training on the labelled structures", executor, attempts)
    return found


def _train(members: Sequence[Member], what: str, executor: Executor, attempts: int) -> None:
    """Train what is not finished; raise ConfigError where one has begun with other settings."""
    if not members:
        return
    for member in members:
        if (member.folder / "config.yaml").is_file() and (changed := changed_since(member.config, member.folder)):
            raise ConfigError(
                f"{', '.join(changed)} changed since {member.folder} was trained. Restore these settings, delete the folder, "
                "which is then trained anew, or name another folder with -o."
            )
    print(what, flush=True)
    train_members(members, executor, attempts)


def _classify(seed: Seed, executor: Executor, attempts: int) -> None:
    tasks = [(k, task) for k, task in enumerate(classifiers(seed))]
    if not tasks:
        return
    print(f"seed {seed.seed}: classifiers", flush=True)
    for _, task in tasks:
        make_folder(task.file.parent)
    results = run_tasks(executor, start_classifier, tasks, attempts)
    with closing(results), counting("classifying", len(tasks), 0) as advance:
        for k, outcome in results:
            if isinstance(outcome, Failure):
                raise TrainingError(f"the classifier of {tasks[k][1].file.parent} failed: {outcome.message}")
            advance()
