"""The folder of a training: where everything is, and its checkpoints."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from unnp.config import load_yaml
from unnp.config.resume import alike
from unnp.errors import ModelError, TrainingError
from unnp.files.locks import LOCK_NAME, hold_folder
from unnp.files.writing import keep_as, make_folder
from unnp.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from unnp.train.config import MACHINE, TrainConfig
from unnp.train.log import read_log

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunFolder:
    """Configuration, log, ``checkpoints/{last,previous,kept}.safetensors``, figures and card."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def log(self) -> Path:
        return self.path / "log.jsonl"

    def checkpoint(self, name: str) -> Path:
        """Return the path of the checkpoint ``last``, ``previous`` or ``kept``."""
        return self.path / "checkpoints" / f"{name}.safetensors"

    @contextmanager
    def hold(self, *, resume: bool) -> Iterator[None]:
        """Hold the folder's lock, so that no other training works in it; a folder that stays empty is removed.

        Raises:
            TrainingError: a run, or anything else, is there already; with ``resume``, no run is there.
            UnnpError: another process holds the folder, or it cannot be written.
        """
        check = self.check_is_run if resume else self.check_new
        check()
        with hold_folder(self.path) as lock:
            try:
                check()
                yield
            finally:
                with suppress(OSError):
                    lock.path.unlink()
                    self.path.rmdir()  # fails where anything is in it

    def _is_as_new(self) -> bool:
        """Return whether the folder holds nothing, or what a run leaves that is killed before its settings are written."""
        if not self.path.is_dir():
            return False
        begun = {LOCK_NAME, self.checkpoint("last").parent.name}
        found = [name for name in os.listdir(self.path) if not name.startswith(f".{self.config.name}.")]
        checkpoints = self.checkpoint("last").parent
        return begun.issuperset(found) and not (checkpoints.is_dir() and any(checkpoints.iterdir()))

    def check_new(self) -> None:
        """Raise TrainingError where a run, or anything else, is there already."""
        if self.path.exists() and not self._is_as_new():
            what = "a training run" if self.config.exists() else "something else"
            raise TrainingError(
                f"{self.path} already holds {what}. Give another folder with -o, go on with --resume, or delete it."
            )

    def check_is_run(self) -> None:
        """Raise TrainingError where no run is there."""
        if not self.config.exists():
            raise TrainingError(f"{self.path} holds no run that could be resumed (no config.yaml); leave out --resume.")

    def create(self) -> None:
        """Make the folder of a new run and that of its checkpoints; raise UnnpError where that is not possible."""
        make_folder(self.checkpoint("last").parent)

    def save(self, checkpoint: Checkpoint, *, keep: bool) -> None:
        """Write the last checkpoint (and keep it for the export); the one before stays as ``previous``."""
        last = self.checkpoint("last")
        keep_as(last, self.checkpoint("previous"))
        if keep:
            save_checkpoint(self.checkpoint("kept"), checkpoint)
            keep_as(self.checkpoint("kept"), last)
        else:
            save_checkpoint(last, checkpoint)

    def load_last(self) -> Checkpoint | None:
        """Return the checkpoint to go on from, or None where the run has none yet.

        It is the last one; the previous one where the last is missing or damaged, and the kept one where it is the only
        one. Which one is taken is said, if it is not the last.

        Raises:
            TrainingError: the log has epochs, but there is no checkpoint; or something else lies in its place.
            ModelError: all are damaged.
        """
        for path in map(self.checkpoint, ("last", "previous", "kept")):
            if path.exists() and not path.is_file():
                raise TrainingError(f"{path} is no ordinary file; move it away, then resume.")
        names = self._existing("last", "previous") or self._existing("kept")
        if not names:
            self._begin_anew()
            return None
        if names[0] != "last":
            logger.warning("%s is missing. Resuming from %s.safetensors.", self.checkpoint("last"), names[0])
        try:
            return load_checkpoint(self.checkpoint(names[0]))
        except ModelError as error:
            if len(names) == 1:
                raise
            logger.warning("%s Resuming from %s.safetensors instead.", error, names[1])
            return load_checkpoint(self.checkpoint(names[1]))

    def _begin_anew(self) -> None:
        """Raise TrainingError where the log says that there must have been a checkpoint."""
        records = read_log(self.log)
        if records and records[-1]["epoch"] > 1:  # of the first epoch the log may be there, and the checkpoint not yet
            raise TrainingError(
                f"{self.path} has a log of a training, but no checkpoint to go on from. Restore the folder checkpoints, or "
                "start a new run with -o."
            )
        logger.warning("%s has no checkpoint yet; the training begins at its start.", self.path)

    def kept_epoch(self) -> int | None:
        """Return the epoch of the kept checkpoint; None, and a warning, where it cannot be read."""
        try:
            kept = load_checkpoint(self.checkpoint("kept"))
            epoch: int = kept.description["position"]["epoch"]
        except (ModelError, KeyError, TypeError) as error:
            reason = error if isinstance(error, ModelError) else f"{self.checkpoint('kept')} lacks its counters."
            logger.warning("%s The next validation makes a new kept.safetensors.", reason)
            return None
        return epoch

    def _existing(self, *names: str) -> list[str]:
        return [name for name in names if os.path.lexists(self.checkpoint(name))]


def changed_since(now: TrainConfig, run: Path) -> list[str]:
    """Return the settings that differ from those of a run and may not; all paths in ``now`` are absolute."""
    before = load_yaml(RunFolder(run).config, TrainConfig).located(run).model_dump(mode="json")
    given = now.model_dump(mode="json")
    return [name for name in given if name not in MACHINE and not alike(given[name], before[name])]
