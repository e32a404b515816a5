"""What a training is of, and who is told how it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch

from unnp.data.dataset import Dataset
from unnp.models.potential import Potential
from unnp.train.config import TrainConfig
from unnp.train.distributed import Processes
from unnp.train.log import Record


class Observer(Protocol):
    """Who is told how the training goes."""

    def batch(self, done: int, n_batches: int, fraction: float) -> None:
        """A batch of the running epoch is done; ``fraction`` of the training is over."""

    def epoch(self, record: Record) -> None:
        """An epoch is done."""


@dataclass
class Task:
    """What is trained on what: all that does not change during a training; ``drawn`` as of ``BatchSampler``."""

    config: TrainConfig
    potential: Potential
    train: Dataset
    validation: Dataset
    description: dict[str, Any]
    processes: Processes
    device: torch.device
    drawn: tuple[int, int] = (0, 0)
