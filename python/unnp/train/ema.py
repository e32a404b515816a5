"""A running average of the weights: what is validated and exported."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class RunningAverage:
    """``a <- d a + (1 - d) w`` after each step, with ``d = min(decay, (1 + n) / (10 + n))`` at step n.

    The smaller decay at first lets the average forget the random start. Own code beside torch's AveragedModel, because
    that reads its step counter back from the device at each step.

    Args:
        potential: the one that is trained.
        decay: 0 makes the average the weights themselves.
    """

    def __init__(self, potential: nn.Module, decay: float) -> None:
        self.potential = copy.deepcopy(potential).eval().requires_grad_(False)
        self.decay = decay
        self._average: list[Tensor] = list(self.potential.parameters())
        self._current: list[Tensor] = list(potential.parameters())

    @torch.no_grad()
    def update(self, n: int) -> None:
        """Take the current weights in after step ``n``."""
        decay = min(self.decay, (1.0 + n) / (10.0 + n))
        torch._foreach_lerp_(self._average, self._current, 1.0 - decay)
