"""Several processes started by torchrun, each with its share of every step."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from unnp.device import resolve_device


@dataclass(frozen=True)
class Processes:
    """This process among those that train together.

    Gradients and sums are added up explicitly: with loss terms divided by the number of labels in the batches of ALL
    processes, the sum of the gradients is exactly that of one process with one large batch. DDP's mean over processes
    would not be, and its hooks do not go with the double backward of a loss on forces.
    """

    rank: int = 0
    world_size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes files and prints."""
        return self.rank == 0

    def add(self, tensor: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes, in place."""
        if self.world_size > 1:
            dist.all_reduce(tensor)
        return tensor

    def add_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace the gradients by their sum over all processes, in one message."""
        if self.world_size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = self.add(torch.cat([g.flatten() for g in gradients]))
        parts = flat.split([g.numel() for g in gradients])
        torch._foreach_copy_(gradients, [part.view_as(g) for part, g in zip(parts, gradients, strict=True)])

    def copy_from_first(self, tensors: Sequence[Tensor]) -> None:
        """Give every process the first one's values."""
        if self.world_size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, src=0)

    def meet(self) -> None:
        """Wait for the others: a process that leaves while another still works may be aborted by the threads of gloo."""
        if self.world_size > 1:
            dist.barrier()

    def close(self) -> None:
        """Leave the group of processes."""
        if self.world_size > 1:
            dist.destroy_process_group()


def join(device: str) -> tuple[Processes, torch.device]:
    """Return this process, and its device, after joining the others that torchrun started (none: a single process).

    ``auto`` and ``cuda`` give each process of a machine its own GPU.
    """
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size == 1:
        return Processes(), resolve_device(device)
    if device in ("auto", "cuda") and torch.cuda.is_available():
        device = f"cuda:{int(os.environ.get('LOCAL_RANK', '0'))}"
    chosen = resolve_device(device)
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    return Processes(dist.get_rank(), world_size), chosen
