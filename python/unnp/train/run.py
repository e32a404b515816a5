"""A training from its configuration to its run folder."""

from __future__ import annotations

import copy
import logging
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from unnp.atoms.quantities import QUANTITIES
from unnp.config import dump_yaml, load_yaml
from unnp.config.resume import refusal
from unnp.data.dataset import Dataset
from unnp.errors import ConfigError, TrainingError
from unnp.evaluate.card import versions
from unnp.files.writing import write_atomically
from unnp.models.checkpoint import Checkpoint
from unnp.models.validity import missing_repulsion
from unnp.train.building import build
from unnp.train.config import MACHINE, TrainConfig
from unnp.train.console import make_console
from unnp.train.datasets import tiny_share
from unnp.train.distributed import Processes, join
from unnp.train.labels import check_labels, few_robust_labels
from unnp.train.log import Log
from unnp.train.memory import keep_freed_memory
from unnp.train.replay import open_all
from unnp.train.report import write_report
from unnp.train.run_folder import RunFolder
from unnp.train.signals import StopRequest
from unnp.train.task import Task
from unnp.train.trainer import Trainer

logger = logging.getLogger(__name__)

LIMITS_AND_MACHINE = ("epochs", "max_minutes", "patience", *MACHINE)
"""Settings that may change when a training is over: a limit may end it, and the rest has no effect anyway."""


@dataclass(frozen=True)
class Team:
    """Who trains: this process among the others, its device, and what tells it to stop."""

    processes: Processes
    device: torch.device
    stop: StopRequest


def train(config: TrainConfig, path: str | Path, *, resume: bool = False, base: str | Path = ".") -> dict[str, Any]:
    """Train, and leave checkpoints, log, figures and card in a run folder.

    Args:
        config: all settings.
        path: the run folder; a new one, or with ``resume`` that of the run to continue.
        resume: go on from the last checkpoint (from the start where there is none yet).
        base: folder that the paths in ``config`` are relative to.

    Returns:
        Error tables of the kept weights, by part ("validation", "test"); empty on processes beside the first.

    Raises:
        InterruptedTrainingError: the process was asked to stop, and a checkpoint has been written.
        TrainingError: the folder holds something else, or a loss is not finite.
        ConfigError: the settings are of a committee.
    """
    if config.seeds is not None:
        raise ConfigError("`seeds` asks for a committee; train it with train_committee, or give one `seed`.")
    processes, device = join(config.device)
    try:
        with StopRequest() as stop:
            return train_one(config, Path(path), Team(processes, device, stop), resume=resume, base=base)
    finally:
        processes.close()


def train_one(config: TrainConfig, path: Path, team: Team, *, resume: bool, base: str | Path) -> dict[str, Any]:
    """Train one potential with processes that are together already; all else as of ``train``."""
    folder, processes = RunFolder(path), team.processes
    held = folder.hold(resume=resume) if processes.first else nullcontext()
    with held, make_console(silent=not processes.first) as console:
        checkpoint, changed = _prepare(config, base, folder) if resume else (None, [])
        task, datasets = _task(config, base, processes, team.device)
        begun = copy.deepcopy(task.potential).eval()
        trainer = Trainer(task, folder, console, team.stop)
        if checkpoint is not None:
            _resume(trainer, checkpoint, changed)
        elif processes.first:
            for warning in _doubts(task, trainer):
                logger.warning("%s", warning)
        if processes.first:
            folder.create()
            write_atomically(folder.config, dump_yaml(settings_at(config, base, folder.path)))
        console.message(_summary(task, trainer))
        log = Log(folder.path, _log_columns(config), trainer.state.position.epoch) if processes.first else None
        left = "" if trainer.over() == "" else " Nothing was left to train; to go on raise that limit."
        console.message(f"Training is over: {trainer.run(log)}.{left}")
        if processes.first and (warning := trainer.state.offset.doubt()):
            logger.warning("%s", warning)
        end = trainer.state.position
        report = write_report(folder, config, begun, datasets, log.records, end, team.device) if log is not None else {}
    processes.meet()
    return report


def _doubts(task: Task, trainer: Trainer) -> list[str]:
    """Return what is to be said before the first step: a missing repulsion, too few labels for the scale of robust groups."""
    repulsion = missing_repulsion(task.description["data"], task.potential)
    n_batches = len(trainer.sampler.epoch(0)) * task.processes.world_size
    config, structures = task.config, task.train.structures
    few = few_robust_labels(config.loss, structures, task.drawn, n_batches, config.batch_size)
    return [*([repulsion] if repulsion else []), *few]


def settings_at(config: TrainConfig, base: str | Path, folder: Path) -> TrainConfig:
    """Return the settings with paths, which are relative to ``base``, relative to a folder."""
    return config.located(base, relative_to=folder)


def _log_columns(config: TrainConfig) -> list[str]:
    terms = config.loss.shown()
    return [
        *("epoch", "step", "minutes", "learning_rate", "loss"),
        *(f"loss_{name}" for name in terms),
        *(f"share_{name}" for name in terms),
        "validation_loss",
        *(f"{name}_{kind}" for name in terms if name in QUANTITIES for kind in ("mae", "rmse")),
    ]


def _task(
    config: TrainConfig, base: str | Path, processes: Processes, device: torch.device
) -> tuple[Task, dict[str, Dataset]]:
    """Return the potential and the data sets, from the seed alone: the same on all processes and after each restart."""
    if config.threads:
        torch.set_num_threads(config.threads)
    keep_freed_memory()
    torch.manual_seed(config.seed)
    sources = open_all(config.located(base))
    check_labels(config.loss, sources.train, sources.validation)
    if processes.first and (warning := tiny_share(config, sources)):
        logger.warning("%s", warning)
    potential, datasets = build(config.located(base), sources)
    description = {
        "potential": potential.describe(),
        "dtype": config.dtype,
        "data": sources.summary,
        "settings": config.model_dump(mode="json"),
        "versions": versions(),
    }
    potential.to(device)
    drawn = (sources.pool, sources.drawn)
    task = Task(config, potential, datasets["train"], datasets["validation"], description, processes, device, drawn)
    return task, datasets


def _prepare(config: TrainConfig, base: str | Path, folder: RunFolder) -> tuple[Checkpoint | None, list[str]]:
    """Return the checkpoint to go on from, and which settings have changed; those that may not are an error."""
    changed = changed_settings(config, base, folder)
    return folder.load_last(), changed


def changed_settings(config: TrainConfig, base: str | Path, folder: RunFolder) -> list[str]:
    """Return which settings are others than those of the run in a folder; raise TrainingError for those that may not be."""
    now, before = config, load_yaml(folder.config, TrainConfig)
    if (now.seeds is None) != (before.seeds is None):
        raise TrainingError(
            f"{folder.path} holds {'a single training' if before.seeds is None else 'a committee'}, but these settings have "
            f"{'`seeds`' if before.seeds is None else 'one `seed`'}. Give the settings it was made with, or another folder."
        )
    now, before = now.located(base), before.located(folder.path)
    changed = [name for name in TrainConfig.model_fields if getattr(now, name) != getattr(before, name)]
    if reason := refusal(now, before, folder.path):
        raise TrainingError(reason)
    return changed


def _resume(trainer: Trainer, checkpoint: Checkpoint, changed: list[str]) -> None:
    """Go on from a checkpoint; settings of a training that is over that would have no effect are an error."""
    trainer.resume(checkpoint)
    over = trainer.over()
    without_effect = [name for name in changed if name not in LIMITS_AND_MACHINE]
    if over and without_effect:
        raise TrainingError(
            f"the training in {trainer.folder.path} is over ({over}), so the changed {', '.join(without_effect)} would "
            "have no effect. To train on with it raise that limit too (for instance --set epochs=...); to train anew "
            "give another folder with -o, without --resume."
        )
    position = trainer.state.position
    if position.best_epoch is None or over:
        return
    kept = trainer.folder.kept_epoch()
    # the last was kept until now where ``patience`` is new
    if kept is None or (trainer.task.config.keeps == "best" and kept != position.best_epoch):
        position.forget_best()


def _summary(task: Task, trainer: Trainer) -> str:
    potential, position, data = task.potential, trainer.state.position, task.description["data"]
    at = f"; resuming at epoch {position.epoch + 1}, step {position.step}" if position.step else ""
    return (
        f"{potential.architecture} for {', '.join(potential.elements)}: {potential.n_parameters} parameters, "
        f"cutoff {potential.cutoff():g} A; {data['n_structures']} structures for training{_drawn(task)}, "
        f"{data['n_validation']} for validation; {task.device}, {task.config.dtype}, {task.processes.world_size} process(es), "
        f"{torch.get_num_threads()} thread(s){at}."
    )


def _drawn(task: Task) -> str:
    """Return what an epoch draws of the training structures, as words behind their number; empty where it takes all."""
    n_pool, n_drawn = task.drawn
    if not n_pool:
        return ""
    thinned, others = task.config.data.thinned, len(task.train) - n_pool
    what = "old" if thinned is None else f"of the groups {', '.join(name or '(no group)' for name in thinned.groups)}"
    return f" (each epoch: {others} and {n_drawn} of the {n_pool} {what})"
