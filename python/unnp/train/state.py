"""Where a training stands: all that a checkpoint holds beside the weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from unnp.checkpoint import Checkpoint
from unnp.train.ema import RunningAverage
from unnp.train.optim import optimizer_tensors, restore_optimizer


@dataclass
class Position:
    """Counters of a training.

    Attributes:
        epoch: finished epochs.
        batch: batches of the running epoch that are done.
        step: optimizer steps.
        seconds: training time over all restarts.
        best_loss: smallest validation loss; None before the first validation.
        best_epoch: the epoch it belongs to.
        validations_since_best: for early stopping.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    best_loss: float | None = None
    best_epoch: int | None = None
    validations_since_best: int = 0


@dataclass
class TrainState:
    """Weights, running average, optimizer, random numbers and counters: together they determine every later step.

    Attributes:
        sums: (4,) float64 on the device: sums of the loss and its three terms over the steps of the running epoch.
    """

    potential: nn.Module
    average: RunningAverage
    optimizer: torch.optim.AdamW
    sums: Tensor
    position: Position = field(default_factory=Position)

    def checkpoint(self, description: dict[str, Any]) -> Checkpoint:
        """Return everything as a checkpoint."""
        tensors = {f"raw.{k}": v for k, v in self.potential.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.potential.state_dict().items()}
        tensors |= {f"optimizer.{k}": v for k, v in optimizer_tensors(self.optimizer).items()}
        tensors["sums"] = self.sums
        tensors["random.cpu"] = torch.get_rng_state()
        if self.sums.is_cuda:
            tensors["random.cuda"] = torch.cuda.get_rng_state(self.sums.device)
        return Checkpoint({**description, "position": asdict(self.position)}, tensors)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Put everything back as it was when ``checkpoint`` was made."""
        self.potential.load_state_dict(checkpoint.part("raw"))
        self.average.potential.load_state_dict(checkpoint.part("average"))
        restore_optimizer(self.optimizer, checkpoint.part("optimizer"))
        self.sums.copy_(checkpoint.tensors["sums"])
        torch.set_rng_state(checkpoint.tensors["random.cpu"])
        if self.sums.is_cuda and "random.cuda" in checkpoint.tensors:
            torch.cuda.set_rng_state(checkpoint.tensors["random.cuda"], self.sums.device)
        self.position = Position(**checkpoint.description["position"])
