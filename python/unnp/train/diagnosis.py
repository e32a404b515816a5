"""Which structures made a step not finite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from unnp.data.dataset import Dataset
from unnp.data.writing import write_structures
from unnp.errors import TrainingError
from unnp.train.distributed import Processes
from unnp.train.loss import Loss
from unnp.train.offset import StressOffset
from unnp.train.step import backward, term_averages

FILE = "not-finite.extxyz"


def not_finite_alone(
    potential: nn.Module, loss: Loss, weights: torch.Tensor, dataset: Dataset, batch: Sequence[int], dtype: torch.dtype
) -> list[int]:
    """Return the structures of a batch whose loss or gradient is not finite when they are alone in it."""
    alone = Processes()
    offset = StressOffset(loss, dataset.groups, dataset.group_sizes, weights.device)
    parameters = list(potential.parameters())
    found = []
    for k in batch:
        one = dataset[k].to(weights.device, dtype)
        total = backward(term_averages(potential, loss, offset, one, alone, weights.device), weights, parameters, alone)
        gradients = [p.grad for p in parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if not torch.isfinite(total + norm):
            found.append(k)
    return found


def not_finite_error(
    folder: Path, dataset: Dataset, found: Sequence[int], batch: Sequence[int], step: int, processes: Processes
) -> TrainingError:
    """Save the structures in the run folder and return the error that says what happened and what to do.

    Args:
        folder: the run's folder.
        dataset: the training's data.
        found: those that are not finite alone.
        batch: this process' batch; all of it is saved where a single process found none.
        step: step that the message names.
        processes: with several, the one that found none has nothing to save.
    """
    what = f"the loss or its gradient is not finite at step {step}."
    if not found and processes.world_size > 1:
        return TrainingError(
            f"{what} The structures of process {processes.rank} are not the reason; see the others' messages."
        )
    path = folder / (FILE if processes.first else f"{processes.rank}-{FILE}")
    suspects = found or batch
    structures = [dataset.structures[k] for k in suspects]
    write_structures(structures, path, overwrite=True)
    sources = ", ".join(s.source or f"structure {k}" for k, s in zip(suspects, structures, strict=True))
    return TrainingError(
        f"{what} Structures: {sources}; saved in {path}. Look for atoms on top of each other or wrong labels; else lower "
        "optimizer.learning_rate or optimizer.clip. The weights are untouched: the last checkpoint is from before this "
        "step, go on with --resume."
    )
