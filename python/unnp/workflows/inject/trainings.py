"""The settings of all trainings: pretraining on labels of potentials, and training on DFT with or without them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unnp.config import from_dict
from unnp.config.overrides import merged
from unnp.errors import ConfigError
from unnp.train.config import TrainConfig
from unnp.workflows.inject.config import InjectConfig
from unnp.workflows.inject.material import INJECTED

HEAD = "dft"
"""Head that learns the labels of the labelled structures."""
SET_HERE = ("data", "potential", "seed", "seeds", "heads", "start", "replay")
DEFAULT_EPOCHS = TrainConfig.model_fields["epochs"].default
HELD_BACK = 0.1
"""Fraction of the labels of potentials that validates the pretraining."""


def check_trainings(config: InjectConfig) -> None:
    """Raise ConfigError where the settings of a training are wrong."""
    for name in config.architectures:
        pretraining(config, name, 0, Path("pool"), list(config.potentials))
        for method in config.ways:
            of_dft(config, name, method, 0, Path("."), Injected(Path("pool"), 1, 1.0, robust=True), 1, None)


@dataclass(frozen=True)
class Injected:
    """Structures with labels of potentials in a training.

    Attributes:
        store: of them.
        n_structures: how many they are.
        alpha: weight of all of them beside all labelled structures.
        robust: whether they count by the biweight.
    """

    store: Path
    n_structures: int
    alpha: float
    robust: bool


def of_dft(
    config: InjectConfig,
    architecture: str,
    method: str,
    seed: int,
    data: Path,
    injected: Injected | None,
    n_labelled: int,
    start: Path | None,
    zeros: Mapping[str, float] | None = None,
) -> TrainConfig:
    """Return the settings of a training on labelled structures.

    Args:
        config: of all.
        architecture, method: their names.
        seed: of the weights and the order of the batches.
        data: folder with the stored ``train``, ``validation`` and ``test`` structures.
        injected: what is learnt beside; None: nothing.
        n_labelled: structures of ``train``.
        start: run with whose representation it begins; None: random weights.
        zeros: energies of the elements [eV] that the head counts from where the settings do not say.
    """
    settings = merged(_settings(config, architecture), config.ways[method].training)
    train = [str(data / "train")]
    if injected is not None:
        train.append(str(injected.store))
        weights = {INJECTED: injected.alpha * n_labelled / injected.n_structures}
        robust = {"robust_groups": [INJECTED]} if injected.robust else {}
        settings = merged(settings, {"loss": {"group_weights": weights, **robust}})
        if config.budget == "steps":
            share = n_labelled / (n_labelled + injected.n_structures)
            settings["epochs"] = math.ceil(settings.get("epochs", DEFAULT_EPOCHS) * share)
    parts = {"train": train, "validation": [str(data / "validation")], "test": [str(data / "test")]}
    head = {} if "reference_energies" in settings else {"reference_energies": zeros}
    return _checked(config, architecture, settings, seed, parts, {HEAD: head}, start)


def pretraining(
    config: InjectConfig, architecture: str, seed: int, store: Path, potentials: Sequence[str]
) -> TrainConfig:
    """Return the settings of the pretraining on a stored pool, in which each potential's labels are a group.

    Args:
        config, architecture, seed: as of ``of_dft``.
        store: the pool, once for each potential.
        potentials: whose labels stand there; each has a head.
    """
    own = merged(config.pretraining, config.architectures[architecture].pretraining)
    settings = _settings(config, architecture)
    loss = settings.get("loss", {})
    settings["loss"] = {key: row for key, row in loss.items() if key not in ("group_weights", "robust_groups")}
    parts = {"train": [str(store)], "validation": HELD_BACK}
    heads = {name: {"groups": [name]} for name in potentials}
    return _checked(config, architecture, merged(settings, own), seed, parts, heads, None)


def _settings(config: InjectConfig, architecture: str) -> dict[str, Any]:
    return merged(config.training, config.architectures[architecture].training)


def _checked(
    config: InjectConfig,
    architecture: str,
    settings: Mapping[str, Any],
    seed: int,
    parts: Mapping[str, Any],
    heads: Mapping[str, Any],
    start: Path | None,
) -> TrainConfig:
    if taken := [key for key in SET_HERE if key in settings]:
        raise ConfigError(f"training may not hold {', '.join(taken)}, which the injection sets itself.")
    potential = config.architectures[architecture].potential
    given = {
        "device": config.device,
        **settings,
        "potential": potential.model_dump(mode="json"),
        "seed": seed,
        "data": {**parts, "read": {"missing": "allow", "required": ["energy"]}},
        "heads": dict(heads),
        "start": None if start is None else str(start),
    }
    training = from_dict(given, TrainConfig, where=f"architectures.{architecture}")
    training.potential.summands()
    return training
