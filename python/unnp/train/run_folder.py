"""The folder of a training: where everything is, and its checkpoints."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from unnp.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from unnp.errors import ModelError, TrainingError
from unnp.files import keep_as

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunFolder:
    """Configuration, log, ``checkpoints/{last,previous,best}.safetensors``, figures and card."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    def checkpoint(self, name: str) -> Path:
        """Return the path of the checkpoint ``last``, ``previous`` or ``best``."""
        return self.path / "checkpoints" / f"{name}.safetensors"

    def check_new(self) -> None:
        """Raise TrainingError where a run, or anything else, is there already."""
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            what = "a training run" if self.config.exists() else "something else"
            raise TrainingError(
                f"{self.path} already holds {what}. Give another folder with -o, go on with --resume, or delete it."
            )

    def create(self) -> None:
        """Make the folder of a new run and that of its checkpoints."""
        try:
            self.checkpoint("last").parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"cannot make the run folder {self.path}: {error.strerror}.") from None

    def save(self, checkpoint: Checkpoint, *, best: bool) -> None:
        """Write the last checkpoint (and make it the best); the one before stays as ``previous``."""
        last = self.checkpoint("last")
        keep_as(last, self.checkpoint("previous"))
        if best:
            save_checkpoint(self.checkpoint("best"), checkpoint)
            keep_as(self.checkpoint("best"), last)
        else:
            save_checkpoint(last, checkpoint)

    def load_last(self) -> Checkpoint | None:
        """Return the last checkpoint, the previous one where the last is damaged, or None where there is none yet.

        Raises:
            TrainingError: this folder holds no run.
            ModelError: both are damaged.
        """
        if not self.config.exists():
            raise TrainingError(f"{self.path} holds no run that could be resumed (no config.yaml); leave out --resume.")
        if not self.checkpoint("last").exists():
            return None
        try:
            return load_checkpoint(self.checkpoint("last"))
        except ModelError as error:
            if not self.checkpoint("previous").exists():
                raise
            logger.warning("%s Resuming from previous.safetensors instead.", error)
            return load_checkpoint(self.checkpoint("previous"))
