"""One optimizer step: loss of a batch, gradients over all processes, update."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from unnp.data.dataset import Batch
from unnp.derivatives import predict
from unnp.train.distributed import Processes
from unnp.train.loss import TERMS, Loss
from unnp.train.offset import StressOffset
from unnp.train.optim import clip_gradients, sum_tied_gradients


def term_averages(
    potential: nn.Module,
    loss: Loss,
    offset: StressOffset,
    batch: Batch | None,
    processes: Processes,
    device: torch.device,
) -> Tensor:
    """Return this process's share (n_terms,) in the loss terms; the shares of all processes add up to the terms.

    Args:
        potential: to evaluate.
        loss: the table.
        offset: offset in the stress labels; learns from the batch, then is taken off.
        batch: None where there is nothing left for this process.
        processes: over whose batches the terms are averaged.
        device: device for the result.
    """
    count = torch.zeros(len(TERMS), dtype=torch.float64, device=device) if batch is None else loss.counts(batch)
    count = processes.add(count).clamp(min=1.0)
    if batch is None:
        offset.learn(None, None, processes)
        return torch.zeros_like(count)
    with_forces, with_outputs = loss.needs("derivative", "curvature"), loss.needs("head")
    prediction = predict(
        potential,
        batch.graph,
        derivatives=with_forces,
        outputs=with_outputs,
        training=True,
        curvature=loss.needs("curvature"),
    )
    offset.learn(prediction, batch, processes)
    return loss.sums(prediction, offset.take_off_recent(batch)) / count


def backward(terms: Tensor, weights: Tensor, parameters: Sequence[nn.Parameter], processes: Processes) -> Tensor:
    """Set the gradients of ``sum_t weights_t terms_t`` over all processes; return this process's share of the sum.

    Args:
        terms: (n_terms,) of ``term_averages``.
        weights: (n_terms,) of the loss table.
        parameters: whose gradients are replaced; those the loss does not depend on get 0.
        processes: whose gradients are added up.
    """
    total = (terms * weights).sum()
    torch._foreach_zero_([p.grad for p in parameters if p.grad is not None])
    if total.requires_grad:
        total.backward()
    processes.add_gradients(parameters)
    return total.detach()


def update(
    optimizer: torch.optim.Optimizer,
    parameters: Sequence[nn.Parameter],
    tied: Sequence[Sequence[nn.Parameter]],
    limit: float | None,
) -> bool:
    """Clip and apply the gradients; where their norm is not finite, change nothing and return False.

    The norm is read back from the device: the only point of a step where the CPU waits.
    """
    if tied:
        sum_tied_gradients(tied)
    norm = clip_gradients([p.grad for p in parameters if p.grad is not None], limit)
    finite = bool(torch.isfinite(norm))
    if finite:
        optimizer.step()
    return finite
