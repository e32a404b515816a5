"""A training that begins with the weights of another one, or of an exported model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unnp.errors import ConfigError
from unnp.exported.rebuild import is_exported, rebuilt
from unnp.models import Potential
from unnp.models.checkpoint import load_potential
from unnp.train.config import TrainConfig
from unnp.train.schedule import learning_rate, progress

MUCH_LARGER = 100.0
"""Factor on the last learning rate of the start from which on a rate is called large."""


@dataclass(frozen=True)
class Start:
    """What a training begins with.

    Attributes:
        potential: with its weights.
        dtype: its number type.
        description: of its checkpoint; empty for an exported model.
    """

    potential: Potential
    dtype: str
    description: Mapping[str, Any] = field(default_factory=dict)

    @property
    def heads(self) -> list[str]:
        """Names of its heads."""
        return [head.name for head in self.potential.heads]

    def head_of_group(self, group: str) -> str | None:
        """Return the name of the head that has learned from a group of its data; None where none has."""
        found = [head.name for head in self.potential.heads if group in head.groups]
        return found[0] if found else None


def read_start(config: TrainConfig) -> Start | None:
    """Return what ``config.start`` names; None where the training begins with random weights.

    Args:
        config: of the training; its architecture has to be that of the weights.

    Raises:
        ModelError: there is no such run, checkpoint or model, or it is damaged.
        ConfigError: it is of another architecture, has other settings or another number type.
    """
    if config.start is None:
        return None
    path = Path(config.start)
    if members := members_in(path):
        raise ConfigError(
            f"start: {config.start} is the folder of a committee of {len(members)}; name one of its members, as "
            f"{os.path.join(config.start, members[0])}{f' or {members[-1]}' if len(members) > 1 else ''}."
        )
    if is_exported(path):
        start = _exported(path)
    else:
        potential, description = load_potential(path)
        start = Start(potential, str(description["dtype"]), description)
    if problem := _other(config, start):
        raise ConfigError(f"start: {config.start} {problem}. Restore these settings, or train from random weights.")
    return start


def members_in(path: Path) -> list[str]:
    """Return the names of the run folders of members where a path is the folder of a committee; else none."""
    if not os.path.isdir(path) or os.path.lexists(path / "checkpoints"):  # not Path.is_dir, which raises for long names
        return []
    found = [each.name for each in path.glob("seed-*") if (each / "checkpoints").is_dir()]
    return sorted(found, key=lambda name: (len(name), name))


def _exported(path: Path) -> Start:
    """Return the potential of an exported model with one member."""
    potentials, manifest = rebuilt(path)
    if len(potentials) > 1:
        raise ConfigError(
            f"start: {path} is a committee of {len(potentials)}; name the run folder of one of its members."
        )
    return Start(potentials[0], manifest.dtype)


def _other(config: TrainConfig, start: Start) -> str:
    """Return what the weights were trained for and the settings do not say; empty where there is nothing."""
    found = {summand.name: summand.config for summand in start.potential.summands()}
    asked = config.potential.summands()
    if found.keys() != asked.keys():
        return f"holds {' + '.join(found)}, not {' + '.join(asked)}"
    for name, settings in asked.items():
        for key in type(settings).model_fields:
            given, there = getattr(settings, key), getattr(found[name], key)
            if given is not None and given != there:  # None is what the first training took from its data
                return f"has {name}.{key} {there}, not {given}"
    return "" if start.dtype == config.dtype else f"has dtype {start.dtype}, not {config.dtype}"


def large_rate(config: TrainConfig, start: Start) -> str:
    """Return what to say where the representation learns far faster than at the end of the training before; else nothing."""
    settings, position = start.description.get("settings"), start.description.get("position")
    rates = config.optimizer.rates
    if not settings or not position or not max(rates.representation, rates.elements):
        return ""
    before = TrainConfig.model_validate(settings)
    done = progress(position["epoch"], before.epochs, position["seconds"] / 60, before.max_minutes)
    optimizer = before.optimizer
    last = learning_rate(
        position["step"], done, peak=optimizer.learning_rate, final=optimizer.final_learning_rate, warmup_steps=0
    )
    last = max(last, 1e-3 * optimizer.learning_rate)
    highest = config.optimizer.learning_rate * max(rates.representation, rates.elements)
    if highest <= MUCH_LARGER * last:
        return ""
    return (
        f"optimizer.learning_rate: representation and elements of {config.start} learn at up to {highest:.2g}, which is "
        f"{highest / last:.0f} times the rate that it ended with ({last:.2g}). Much of what it knows may be lost in the first "
        "steps: take a smaller learning_rate, or smaller optimizer.rates of these parts."
    )
