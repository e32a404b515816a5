"""Where a training stands: all that a checkpoint holds beside the weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from pydantic import ConfigDict, NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator
from torch import Tensor, nn

from unnp.config import Config, from_dict
from unnp.errors import ConfigError, ModelError, in_one_line
from unnp.models.checkpoint import Checkpoint, check_tensors
from unnp.train.ema import RunningAverage
from unnp.train.loss import TERMS
from unnp.train.offset import StressOffset, found_offsets
from unnp.train.optim import optimizer_sizes, optimizer_tensors, restore_optimizer


class Position(Config):
    """Counters of a training."""

    model_config = ConfigDict(frozen=False, strict=True, allow_inf_nan=False)

    epoch: NonNegativeInt = 0
    """Finished epochs."""
    batch: NonNegativeInt = 0
    """Batches of the running epoch that are done."""
    step: NonNegativeInt = 0
    """Optimizer steps."""
    seconds: NonNegativeFloat = 0.0
    """Training time over all restarts."""
    best_loss: NonNegativeFloat | None = None
    """Smallest validation loss; None before the first validation."""
    best_epoch: PositiveInt | None = None
    """Epoch with the smallest validation loss."""
    validations_since_best: NonNegativeInt = 0
    """Validations since then, for early stopping."""

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Position:
        """Return the counters of a checkpoint; raise ModelError where one is missing, or they cannot be right."""
        content = checkpoint.description.get("position")
        content = content if isinstance(content, dict) else {}
        missing = [name for name in cls.model_fields if name not in content]
        if missing:
            raise ModelError(f"the counters of the checkpoint lack {', '.join(missing)}.")
        try:
            return from_dict(content, cls, where="position")
        except ConfigError as error:
            raise ModelError(f"the counters of the checkpoint cannot be right: {in_one_line(error)}") from None

    def forget_best(self) -> None:
        """Take the next validation for the best, whatever came before."""
        self.best_loss, self.best_epoch, self.validations_since_best = None, None, 0

    def is_best(self, loss: float) -> bool:
        """Count the validation at the end of the running epoch; return whether none before it had a smaller loss."""
        if self.best_loss is not None and loss >= self.best_loss:
            self.validations_since_best += 1
            return False
        self.best_loss, self.best_epoch, self.validations_since_best = loss, self.epoch + 1, 0
        return True

    def check_steps(self, n_structures: int) -> None:
        """Raise ModelError where there are more steps than ``n_structures`` allow, each in a batch of its own."""
        if self.step > n_structures * (self.epoch + 1):
            raise ModelError(
                f"the counters of the checkpoint cannot be right: {self.step} steps in {self.epoch} epochs of "
                f"{n_structures} structures."
            )

    @model_validator(mode="after")
    def _consistent(self) -> Position:
        if self.step < self.epoch + self.batch or (self.step > 0) != (self.epoch + self.batch > 0):
            raise ValueError(f"{self.step} steps in {self.epoch} epochs and {self.batch} batches")
        if (self.best_epoch or 0) + self.validations_since_best > self.epoch:
            raise ValueError(
                f"best epoch {self.best_epoch} and {self.validations_since_best} validations since, of {self.epoch} epochs"
            )
        if (self.best_epoch is None) != (self.best_loss is None):
            raise ValueError("best_epoch and best_loss belong together")
        return self


SUMMED = ("loss", *TERMS)
"""What is summed over the steps of an epoch, in order."""


def named_sums(sums: Tensor) -> dict[str, Tensor]:
    """Return sums (1 + n_terms,) by name: which terms there are may differ where a checkpoint is read again."""
    return {f"sums.{name}": sums[k] for k, name in enumerate(SUMMED)}


def _summed(checkpoint: Checkpoint) -> list[str]:
    """Return the names of the sums in a checkpoint; raise ModelError where they are missing or no names."""
    found = checkpoint.description.get("summed")
    if not isinstance(found, list) or "loss" not in found or not all(isinstance(name, str) for name in found):
        raise ModelError("the checkpoint does not say what its sums are of.")
    return found


@dataclass
class TrainState:
    """Weights, running average, optimizer, random numbers and counters: together they determine every later step.

    Attributes:
        sums: (1 + n_terms,) float64 on the device: sums of the loss and its terms over the steps of the running epoch.
        offset: offset in the stress labels.
    """

    potential: nn.Module
    average: RunningAverage
    optimizer: torch.optim.Optimizer
    sums: Tensor
    offset: StressOffset
    position: Position = field(default_factory=Position)

    def checkpoint(self, description: dict[str, Any]) -> Checkpoint:
        """Return everything as a checkpoint."""
        tensors = {f"raw.{k}": v for k, v in self.potential.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.potential.state_dict().items()}
        tensors |= {f"optimizer.{k}": v for k, v in optimizer_tensors(self.optimizer).items()}
        tensors |= {**named_sums(self.sums), **self.offset.tensors}
        tensors["random.cpu"] = torch.get_rng_state()
        if self.sums.is_cuda:
            tensors["random.cuda"] = torch.cuda.get_rng_state(self.sums.device)
        told = {"position": self.position.model_dump(), "stress_offset": self.offset.summary(), "summed": list(SUMMED)}
        return Checkpoint({**description, **told}, tensors)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Put everything back as it was when ``checkpoint`` was made.

        Raises:
            ModelError: a tensor or counter is missing, unknown, of another size or number type, or not finite. Nothing
                has been changed then.
        """
        position = Position.of(checkpoint)
        found_offsets(checkpoint.description)
        self._check(checkpoint, position)
        try:
            torch.set_rng_state(checkpoint.tensors["random.cpu"])
            if self.sums.is_cuda and "random.cuda" in checkpoint.tensors:
                torch.cuda.set_rng_state(checkpoint.tensors["random.cuda"], self.sums.device)
        except (RuntimeError, TypeError) as error:
            raise ModelError(f"the random numbers of the checkpoint are none ({in_one_line(error)}).") from None
        self.potential.load_state_dict(checkpoint.part("raw"))
        self.average.potential.load_state_dict(checkpoint.part("average"))
        restore_optimizer(self.optimizer, checkpoint.part("optimizer"))
        sums = checkpoint.part("sums")
        for k, name in enumerate(SUMMED):
            self.sums[k] = sums.get(name, torch.zeros(()))
        for name, tensor in self.offset.tensors.items():
            tensor.copy_(checkpoint.tensors[name])
        self.position = position

    def _check(self, checkpoint: Checkpoint, position: Position) -> None:
        parts = {
            "raw": self.potential.state_dict(),
            "average": self.average.potential.state_dict(),
            "optimizer": optimizer_sizes(self.optimizer) if position.step else {},
        }
        for name, expected in parts.items():
            check_tensors(checkpoint.part(name), expected, f"the {name} tensors of the checkpoint")
        others = {f"sums.{name}": self.sums[0] for name in _summed(checkpoint)}
        others |= {"random.cpu": torch.get_rng_state()}
        others |= self.offset.tensors
        for name, expected_tensor in others.items():
            found = {name: checkpoint.tensors[name]} if name in checkpoint.tensors else {}
            check_tensors(found, {name: expected_tensor}, "tensors of the checkpoint")
        for name, tensor in checkpoint.part("optimizer").items():
            wrong = tensor != position.step if name.endswith(".step") else tensor < 0 if "exp_avg_sq" in name else None
            if wrong is not None and bool(wrong.any()):
                raise ModelError(f"the optimizer tensors of the checkpoint cannot be right: {name}.")
