"""What a benchmark has to do: an entry for each contestant and seed, and which of them have been trained with what."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from unnp.config import from_dict
from unnp.config.overrides import merged
from unnp.errors import ConfigError
from unnp.train.building import check_trainable
from unnp.train.config import TrainConfig
from unnp.train.run_folder import changed_since
from unnp.workflows.benchmark.config import BenchmarkConfig, ModelConfig


@dataclass(frozen=True)
class Entry:
    """A contestant with a seed.

    Attributes:
        name: of the contestant.
        model: its settings.
        folder: where its run, its model and its results are.
        training: configuration of its training; None: it is there already.
        fraction: of the training structures that it learns from.
        timed: whether its cost is measured; that of the first seed is that of all.
    """

    name: str
    model: ModelConfig
    folder: Path
    training: TrainConfig | None
    fraction: float = 1.0
    timed: bool = True

    @property
    def run(self) -> Path:
        """The run folder of its training."""
        return self.folder / "run"

    @property
    def begun(self) -> bool:
        """Whether its training has begun."""
        return (self.run / "config.yaml").is_file()

    @property
    def over(self) -> bool:
        """Whether nothing is left to train."""
        return self.training is None or (self.run / "card.yaml").is_file()


def entries_of(config: BenchmarkConfig, base: Path, folder: Path) -> list[Entry]:
    """Return all entries in the order of the table.

    Args:
        config: what to compare.
        base: where relative paths in it begin.
        folder: of the benchmark.

    Raises:
        ConfigError: the settings of a training are wrong, or a training that has begun had others.
    """
    entries = []
    for name, model in config.models.items():
        if model.potential is None:
            entries.append(Entry(name, model, folder / name / "seed-0", None))
            continue
        for fraction in (1.0, *sorted(config.fractions, reverse=True)):
            for seed in config.seeds_of(name):
                run = folder / name / (f"seed-{seed}" if fraction == 1 else f"seed-{seed}-of-{fraction:g}")
                timed = fraction == 1 and seed == config.seeds_of(name)[0]
                entries.append(Entry(name, model, run, _training(config, base, name, seed, fraction), fraction, timed))
    _check_begun(entries)
    return entries


def _training(config: BenchmarkConfig, base: Path, name: str, seed: int, fraction: float) -> TrainConfig:
    model = config.models[name]
    assert model.potential is not None
    settings = merged(config.training, model.training)
    data = config.data.located(base).model_copy(
        update={
            "test": [],
            "fraction": fraction * config.data.fraction,
        }  # the benchmark judges, and may be given others
    )
    given = {
        "device": config.device,
        **settings,
        "potential": model.potential.model_dump(mode="json"),
        "seed": seed,
        "data": data.model_dump(mode="json"),
    }
    training = from_dict(given, TrainConfig, where=f"models.{name}")
    with naming(name):
        check_trainable(training.potential)
    passes = {  # as many steps with fewer structures, and as many validations
        "epochs": math.ceil(training.epochs / fraction),
        "validation_interval": math.ceil(training.validation_interval / fraction),
    }
    return training.model_copy(update=passes)


@contextmanager
def naming(contestant: str) -> Iterator[None]:
    """Put the name of a contestant before the message of a ConfigError."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"models.{contestant}: {error}") from None


def _check_begun(entries: Sequence[Entry]) -> None:
    """Raise ConfigError where the settings of a training are not those that it has begun with."""
    complaints = []
    for entry in entries:
        if entry.training is not None and entry.begun and (changed := changed_since(entry.training, entry.run)):
            complaints.append(f"models.{entry.name}: {', '.join(changed)} changed since {entry.folder} was trained.")
    if complaints:
        raise ConfigError(
            "\n  ".join(complaints)
            + "\nWhat is compared has to be trained under one budget: restore these settings, or "
            "delete the folders named, which are then trained anew, or name another folder with -o."
        )
