"""The trainings of a committee: one configuration, several seeds, one after the other in one folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unnp.config import dump_yaml, load_yaml
from unnp.config.base import read_yaml
from unnp.errors import TrainingError, UnnpError
from unnp.files.locks import LOCK_NAME, hold_folder
from unnp.files.writing import write_atomically
from unnp.train.config import MACHINE, TrainConfig
from unnp.train.distributed import join
from unnp.train.run import Team, changed_settings, settings_at, train_one
from unnp.train.run_folder import RunFolder
from unnp.train.signals import StopRequest
from unnp.train.spread import Table, write_spread

WITHOUT_EFFECT = ("data", "start", *MACHINE)
"""Settings that say nothing of whether a training is over: other data or another start are refused, the rest has no effect."""


def train_committee(
    config: TrainConfig, path: str | Path, *, resume: bool = False, base: str | Path = "."
) -> dict[str, Table]:
    """Train the members of a committee, each in its own run folder ``seed-N``, and compare them.

    Args:
        config: all settings; ``seeds`` names the members.
        path: the folder; a new one, or with ``resume`` that of the committee to continue. Members that are finished are not
            touched, those that were begun go on, and seeds may have been added.
        base: folder that the paths in ``config`` are relative to.

    Returns:
        For "validation" and "test" the errors of each member, their mean and standard deviation, and those of the mean
        prediction; empty on processes beside the first.

    Raises:
        InterruptedTrainingError: the process was asked to stop, and a checkpoint has been written.
        TrainingError: the folder holds something else, a finished member is missing in ``seeds``, or a loss is not finite.
    """
    config = _with_one_split(config)
    folder = CommitteeFolder(Path(path))
    processes, device = join(config.device)
    try:
        held = folder.hold(config, base, resume=resume) if processes.first else nullcontext()
        with held, StopRequest() as stop:
            team = Team(processes, device, stop)
            waiting = {
                seed: state for seed in config.seeds or [] if (state := folder.state(config, seed)) != "finished"
            }
            processes.meet()  # before the first of them writes into what the others have to look at
            for seed, state in waiting.items():
                if processes.first:
                    print(_headline(config, folder, seed), flush=True)
                train_one(config.member(seed), folder.member(seed), team, resume=state == "begun", base=base)
            spread = write_spread(folder.path, folder.members(config), config, base, device) if processes.first else {}
        processes.meet()
        return spread
    finally:
        processes.close()


@dataclass(frozen=True)
class CommitteeFolder:
    """``config.yaml``, a run folder ``seed-N`` of each member, and what compares them."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    def member(self, seed: int) -> Path:
        """Return the run folder of a member."""
        return self.path / f"seed-{seed}"

    def members(self, config: TrainConfig) -> dict[int, Path]:
        """Return the run folders of all members by their seeds."""
        return {seed: self.member(seed) for seed in config.seeds or []}

    def state(self, config: TrainConfig, seed: int) -> str:
        """Return whether a member is ``new``, ``begun`` or ``finished`` with these settings."""
        run = RunFolder(self.member(seed))
        if not run.config.exists():
            return "new"
        now = config.member(seed).model_dump(mode="json", exclude=set(WITHOUT_EFFECT))
        with suppress(UnnpError):  # the card is the last that a training writes
            card = read_yaml(run.path / "card.yaml").get("settings") or {}
            if all(card.get(name) == value for name, value in now.items()):
                return "finished"
        return "begun"

    @contextmanager
    def hold(self, config: TrainConfig, base: str | Path, *, resume: bool) -> Iterator[None]:
        """Hold the folder's lock and write the settings; without a single member, nothing stays.

        Raises:
            TrainingError: as ``train_committee``.
            UnnpError: another process holds the folder, or it cannot be written.
        """
        check = self._check_resumed if resume else self._check_new
        check(config, base)
        with hold_folder(self.path) as lock:
            try:
                check(config, base)
                with self._settings_of_members(config, base):
                    yield
            finally:
                with suppress(OSError):
                    lock.path.unlink()
                    self.path.rmdir()  # fails where anything is in it

    @contextmanager
    def _settings_of_members(self, config: TrainConfig, base: str | Path) -> Iterator[None]:
        """Have the settings in the folder as long as there are members."""
        write_atomically(self.config, dump_yaml(settings_at(config, base, self.path), leave_out=["seed"]))
        try:
            yield
        finally:
            if not any(path.is_dir() for path in self.members(config).values()):
                with suppress(OSError):
                    self.config.unlink()

    def _check_new(self, config: TrainConfig, base: str | Path) -> None:
        if self.path.is_dir() and not {path.name for path in self.path.iterdir()} - {LOCK_NAME}:
            return
        if self.path.exists():
            what = "a training run" if self.config.exists() else "something else"
            raise TrainingError(
                f"{self.path} already holds {what}. Give another folder with -o, go on with --resume, or delete it."
            )

    def _check_resumed(self, config: TrainConfig, base: str | Path) -> None:
        RunFolder(self.path).check_is_run()
        changed_settings(config, base, RunFolder(self.path))
        gone = set(load_yaml(self.config, TrainConfig).seeds or []) - set(config.seeds or [])
        kept = sorted(seed for seed in gone if self.member(seed).exists())
        if kept:
            raise TrainingError(
                f"{self.path} holds members with the seeds {', '.join(map(str, kept))}, which `seeds` does not name. Seeds "
                f"may be added, not taken away: name them again, or delete {self.member(kept[0])}."
            )
        for seed, path in self.members(config).items():
            if RunFolder(path).config.exists():
                changed_settings(config.member(seed), base, RunFolder(path))


def runs_of(path: Path) -> list[Path]:
    """Return the run folders of the members where a path is the folder of a committee, else the path itself.

    Raises:
        ConfigError: the settings of the committee are damaged.
    """
    settings = path / "config.yaml"
    if not settings.is_file() or not read_yaml(settings).get("seeds"):
        return [path]
    return list(CommitteeFolder(path).members(load_yaml(settings, TrainConfig)).values())


def _with_one_split(config: TrainConfig) -> TrainConfig:
    """Return the settings with one split for all members: what one of them had trained on would not be unseen."""
    if config.data.split_seed is not None:
        return config
    return config.model_copy(update={"data": config.data.model_copy(update={"split_seed": 0})})


def _headline(config: TrainConfig, folder: CommitteeFolder, seed: int) -> str:
    seeds: list[Any] = list(config.seeds or [])
    return f"Member {seeds.index(seed) + 1} of {len(seeds)}, seed {seed}: {folder.member(seed)}"
