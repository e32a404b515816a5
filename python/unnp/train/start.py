"""A training that begins with the weights of another one."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from unnp.errors import ConfigError
from unnp.models import Potential
from unnp.models.checkpoint import load_potential
from unnp.train.config import TrainConfig


def started_potential(config: TrainConfig, elements: Collection[str]) -> Potential:
    """Return the potential that ``config.start`` names: its weights, and the scale and reference energies they belong to.

    Args:
        config: of the training; its architecture has to be that of the weights.
        elements: of the training structures.

    Raises:
        ModelError: there is no such run or checkpoint, or it is damaged.
        ConfigError: it is of another architecture, has other settings, outputs, heads or another number type, or does not know
            an element.
    """
    assert config.start is not None
    potential, description = load_potential(Path(config.start))
    problem = _other(config, potential, str(description["dtype"])) or _unknown(potential, elements)
    if problem:
        raise ConfigError(f"start: {config.start} {problem}. Restore these settings, or train from random weights.")
    return potential.train()


def _other(config: TrainConfig, potential: Potential, dtype: str) -> str:
    """Return what the weights were trained for and the settings do not say; empty where there is nothing."""
    found = {summand.name: summand.config for summand in potential.summands()}
    asked = config.potential.summands()
    if found.keys() != asked.keys():
        return f"holds {' + '.join(found)}, not {' + '.join(asked)}"
    for name, settings in asked.items():
        for key in type(settings).model_fields:
            given, there = getattr(settings, key), getattr(found[name], key)
            if given is not None and given != there:  # None is what the first training took from its data
                return f"has {name}.{key} {there}, not {given}"
    pairs = {
        "heads": ([head.name for head in potential.heads], list(config.heads)),
        "outputs": (list(potential.output_heads), list(config.potential.outputs)),
        "dtype": (dtype, config.dtype),
    }
    return next((f"has {name} {there}, not {given}" for name, (there, given) in pairs.items() if there != given), "")


def _unknown(potential: Potential, elements: Collection[str]) -> str:
    missing = sorted(set(elements) - set(potential.elements))
    return f"does not know {', '.join(missing)}" if missing else ""
