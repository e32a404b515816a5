"""The loop: epochs of steps, validation, checkpoints, and the ways to stop."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Sequence

import torch

from unnp.config.resume import alike
from unnp.data.dataset import Batch, collate
from unnp.errors import TrainingError
from unnp.models.checkpoint import Checkpoint
from unnp.train.datasets import sampler_of
from unnp.train.diagnosis import not_finite_alone, not_finite_error
from unnp.train.ema import RunningAverage
from unnp.train.log import Log
from unnp.train.loss import TERMS, Loss
from unnp.train.offset import StressOffset
from unnp.train.optim import build_optimizer, set_rate, tie
from unnp.train.parts import part_rates, trained_parameters
from unnp.train.record import epoch_record
from unnp.train.run_folder import RunFolder
from unnp.train.schedule import learning_rate, progress
from unnp.train.signals import StopRequest
from unnp.train.state import SUMMED, Position, TrainState, named_sums
from unnp.train.step import backward, term_averages, update
from unnp.train.task import Observer, Task
from unnp.train.validation import InterruptedTrainingError, Validation, validate

logger = logging.getLogger(__name__)

EPOCHS_BEFORE_COMPLAINTS = 5


class Trainer:
    """Trains a potential until the epochs or the time are over, the validation loss stalls, or the process has to stop.

    Args:
        task: potential, data and configuration.
        folder: the run's folder, for checkpoints and log.
        observer: told of batches and epochs.
        stop: asked after each step.
    """

    def __init__(self, task: Task, folder: RunFolder, observer: Observer, stop: StopRequest) -> None:
        self.task, self.folder, self.observer, self.stop = task, folder, observer, stop
        config = task.config
        self.dtype = torch.float64 if config.dtype == "float64" else torch.float32
        self.loss = Loss(config.loss, task.train.groups)
        rates = part_rates(task.potential, config)
        self.parameters = trained_parameters(task.potential, rates)
        self.tied = task.potential.tied_parameters() if config.tied_epochs else []
        tie(self.tied)
        task.processes.copy_from_first([p.data for p in task.potential.parameters()])
        self.state = TrainState(
            task.potential,
            RunningAverage(task.potential, config.optimizer.average_decay),
            build_optimizer(task.potential, config.optimizer, rates),
            torch.zeros(len(SUMMED), dtype=torch.float64, device=task.device),
            StressOffset(self.loss, task.train.groups, task.train.group_sizes, task.device),
        )
        self._complained = False
        self.sampler = sampler_of(config, task.train, task.processes, shuffle=True, drawn=task.drawn)
        self.validation_batches = sampler_of(config, task.validation, task.processes, shuffle=False).epoch(0)
        self._weights = torch.zeros(len(TERMS), dtype=torch.float64, device=task.device)
        self._weights_now: dict[str, float] = {}
        self._rate = config.optimizer.learning_rate

    def run(self, log: Log | None) -> str:
        """Train on from where the state is; return why the training is over.

        Args:
            log: the run's log; None on processes beside the first.

        Raises:
            InterruptedTrainingError: the process was asked to stop; a checkpoint has been written.
            TrainingError: a loss or gradient is not finite.
        """
        position = self.state.position
        self._clock = time.monotonic() - position.seconds
        self._saved_at = time.monotonic()
        try:
            while not (reason := self.over()):
                self._epoch(log)
        except InterruptedTrainingError:
            self.save()
            raise
        return reason

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint.

        Raises:
            TrainingError: it belongs to another potential or other data.
            ModelError: it was tampered with.
        """
        for part in ("potential", "data"):
            # through JSON, as the checkpoint's: that makes lists of tuples, and texts of keys that are numbers
            if not alike(checkpoint.description.get(part), json.loads(json.dumps(self.task.description[part]))):
                raise TrainingError(
                    f"the {part} of the checkpoint differ(s) from what the configuration gives now: data files have "
                    "changed. Restore them, or start a new run with -o."
                )
        Position.of(checkpoint).check_steps(len(self.task.train))
        self.state.restore(checkpoint)
        if not self.task.processes.first:
            self.state.sums.zero_()  # those of the checkpoint are the sums over all processes

    def save(self, keep: bool = False) -> None:
        """Write a checkpoint; all processes have to call it."""
        sums = self.state.sums.clone()
        self.task.processes.add(sums)
        if self.task.processes.first:
            checkpoint = self.state.checkpoint(self.task.description)
            checkpoint.tensors |= named_sums(sums)
            self.folder.save(checkpoint, keep=keep)
        self._saved_at = time.monotonic()

    def over(self) -> str:
        """Return why the training is over; empty where it is not."""
        position, config = self.state.position, self.task.config
        if position.batch > 0:
            return ""
        if position.epoch >= config.epochs:
            return f"all {config.epochs} epochs are done"
        if self._out_of_time():
            return f"{config.max_minutes:g} minutes are over"
        if config.patience and position.validations_since_best >= config.patience:
            return f"no better validation loss in {config.patience} validations"
        return ""

    def _epoch(self, log: Log | None) -> None:
        """Run the rest of an epoch, validate, log and write a checkpoint."""
        position = self.state.position
        batches = self.sampler.epoch(position.epoch)
        following = self._load(batches, position.batch)
        while position.batch < len(batches) and not self._out_of_time():
            batch, indices = following, batches[position.batch]
            fraction = self._set_rate(len(batches))
            terms = term_averages(
                self.task.potential, self.loss, self.state.offset, batch, self.task.processes, self.task.device
            )
            total = backward(terms, self._weights_at(fraction), self.parameters, self.task.processes)
            following = self._load(batches, position.batch + 1)  # while a GPU is still busy with this one
            self._update(indices)
            self.state.sums += torch.cat([total.view(1), terms.detach()])
            position.batch += 1
            self.observer.batch(position.batch, len(batches), fraction)
            self._after_step()
        self._end_of_epoch(log, n_steps=position.batch)

    def _update(self, indices: Sequence[int]) -> None:
        position, config = self.state.position, self.task.config
        tied = self.tied if position.epoch < config.tied_epochs else []
        if not update(self.state.optimizer, self.parameters, tied, config.optimizer.clip):
            raise self._not_finite(indices)
        position.step += 1
        self.state.average.update(position.step)

    def _after_step(self) -> None:
        """Stop, or write a checkpoint, where one is due."""
        due = time.monotonic() - self._saved_at > 60 * self.task.config.checkpoint_minutes
        due, stop = self._agree(due, bool(self.stop.requested))
        if stop:
            raise InterruptedTrainingError
        if due:
            self.save()

    def _agree(self, due: bool, stop: bool) -> tuple[bool, bool]:
        """Set the training time to the first process's; return whether it is due, and whether any has to stop."""
        processes, position = self.task.processes, self.state.position
        position.seconds = time.monotonic() - self._clock
        if processes.world_size == 1:
            return due, stop
        own = [position.seconds * processes.first, float(due and processes.first), float(stop)]
        agreed = processes.add(torch.tensor(own, dtype=torch.float64, device=self.task.device)).tolist()
        position.seconds = agreed[0]
        return agreed[1] > 0, agreed[2] > 0

    def _end_of_epoch(self, log: Log | None, n_steps: int) -> None:
        """Validate, log and write a checkpoint after ``n_steps`` steps of an epoch."""
        position, config = self.state.position, self.task.config
        last = position.epoch + 1 >= config.epochs or self._out_of_time()
        validation = None
        if last or (position.epoch + 1) % config.validation_interval == 0:
            validation = self._validate()
        keep = validation is not None and (self._is_best(validation) or config.keeps == "last")
        sums = self.task.processes.add(self.state.sums)
        means = dict(zip(SUMMED, (sums / max(1, n_steps)).tolist(), strict=True))
        averages = {name: means[name] for name in ("loss", *self.loss.config.shown())}
        minutes = (time.monotonic() - self._clock) / 60
        record = epoch_record(position, minutes, self._rate, averages, self._weights_now, validation)
        self._complain(means["stress"])
        self.state.sums.zero_()
        position.epoch, position.batch = position.epoch + 1, 0
        self._agree(due=False, stop=False)
        if log is not None:
            log.add(record)
        self.save(keep)
        self.observer.epoch(record)

    def _complain(self, stress_term: float) -> None:
        """Say once, after a few epochs, that a term cannot fall."""
        if self._complained or self.state.position.epoch + 1 < EPOCHS_BEFORE_COMPLAINTS:
            return
        text = self.state.offset.complaint(stress_term)
        self._complained = bool(text)
        if text and self.task.processes.first:
            logger.warning("%s", text)

    def _validate(self) -> Validation:
        task, single = self.task, self.task.processes.world_size == 1
        return validate(
            self.state.average.potential,
            task.validation,
            self.validation_batches,
            self.loss,
            self.state.offset,
            task.processes,
            task.device,
            dtype=self.dtype,
            interrupted=lambda: single and bool(self.stop.requested),
        )

    def _is_best(self, validation: Validation) -> bool:
        position = self.state.position
        if not math.isfinite(validation.loss):
            raise TrainingError(
                f"the validation loss of epoch {position.epoch + 1} is not finite. Look for wrong labels or atoms on "
                "top of each other in the validation structures; else lower optimizer.learning_rate."
            )
        return position.is_best(validation.loss)

    def _load(self, batches: list[list[int]], k: int) -> Batch | None:
        """Return batch ``k`` on the device; None where there is none, or nothing in it for this process."""
        if k >= len(batches) or not batches[k]:
            return None
        return collate([self.task.train[i] for i in batches[k]]).to(self.task.device, self.dtype)

    def _set_rate(self, n_batches: int) -> float:
        """Set the learning rate of the next step; return the fraction of the training that is over."""
        position, config = self.state.position, self.task.config
        done = position.epoch + position.batch / n_batches
        fraction = progress(done, config.epochs, position.seconds / 60, config.max_minutes)
        settings = config.optimizer
        self._rate = learning_rate(
            position.step,
            fraction,
            peak=settings.learning_rate,
            final=settings.final_learning_rate,
            warmup_steps=settings.warmup_steps,
        )
        set_rate(self.state.optimizer, self._rate)
        return fraction

    def _weights_at(self, fraction: float) -> torch.Tensor:
        weights = self.loss.weights(fraction)
        if weights != self._weights_now:
            self._weights.copy_(torch.tensor([weights[name] for name in TERMS], dtype=torch.float64))
            self._weights_now = weights
        return self._weights

    def _out_of_time(self) -> bool:
        limit = self.task.config.max_minutes
        return limit is not None and self.state.position.seconds >= 60 * limit

    def _not_finite(self, batch: Sequence[int]) -> TrainingError:
        task, step = self.task, self.state.position.step
        found = not_finite_alone(task.potential, self.loss, self._weights, task.train, batch, self.dtype)
        return not_finite_error(self.folder.path, task.train, found, batch, step, task.processes)
