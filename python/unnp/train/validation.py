"""Errors of a potential on a data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from unnp.data.dataset import Batch, Dataset, collate
from unnp.data.worker_pool import StoppedError
from unnp.derivatives import Prediction, predict
from unnp.evaluate.metrics import Metrics
from unnp.train.distributed import Processes
from unnp.train.loss import TERMS, Loss
from unnp.train.offset import StressOffset


@dataclass(frozen=True)
class Validation:
    """Loss (with the weights at the end of the training, so that values at different times compare) and error table."""

    loss: float
    metrics: dict[str, Any]


class InterruptedTrainingError(StoppedError):
    """The process was asked to stop."""


def validate(
    potential: nn.Module,
    dataset: Dataset,
    batches: Sequence[Sequence[int]],
    loss: Loss,
    offset: StressOffset,
    processes: Processes,
    device: torch.device,
    *,
    dtype: torch.dtype,
    interrupted: Callable[[], bool] = lambda: False,
    observe: Callable[[Prediction, Batch], None] | None = None,
) -> Validation:
    """Return loss and errors of a potential on the batches of all processes.

    Args:
        potential: to evaluate.
        dataset: structures with labels.
        batches: this process' batches.
        loss: the table.
        offset: taken off the stress labels, for the loss and for the errors.
        processes: who else takes part.
        device: to compute on.
        dtype: number type for the bond vectors.
        interrupted: asked between batches; where it says yes, InterruptedTrainingError is raised.
        observe: called with each prediction and its batch.
    """
    metrics = Metrics(dataset.groups, dataset.elements.symbols, device)
    sums = torch.zeros(2, len(TERMS), dtype=torch.float64, device=device)
    for indices in batches:
        if not indices:
            continue
        if interrupted():
            raise InterruptedTrainingError
        batch = offset.take_off(collate([dataset[k] for k in indices]).to(device, dtype))
        prediction = predict(potential, batch.graph, outputs=loss.needs("head"), curvature=loss.needs("curvature"))
        metrics.update(prediction, batch)
        sums += torch.stack([loss.sums(prediction, batch).detach(), loss.counts(batch)])
        if observe:
            observe(prediction, batch)
    processes.add(sums)
    processes.add(metrics.sums)
    terms = (sums[0] / sums[1].clamp(min=1.0)).tolist()
    final = loss.weights(1.0)
    return Validation(sum(final[name] * term for name, term in zip(TERMS, terms, strict=True)), metrics.result())
