"""The settings of all trainings: pretraining on labels of potentials, and training on DFT with or without them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from unnp.atoms.quantities import STANDARD
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
    injected, labelled = Injected(Path("pool"), 1, 1.0, robust=True), Labelled(Path(), 1)
    for name in config.architectures:
        trainings = Trainings(config, name, seed=0)
        trainings.pretraining(Path("pool"), list(config.potentials))
        for method in config.ways:
            trainings.on_labelled(method, labelled, injected)


def learnt(config: InjectConfig) -> list[str]:
    """Return the quantities among energy, forces and stress that trainings on labelled structures learn."""
    pairs = product(config.architectures, config.methods)
    tables = [Trainings(config, name, 0).on_labelled(method, Labelled(Path(), 1)).loss for name, method in pairs]
    return [name for name in STANDARD if any(name in table.used() for table in tables)]


@dataclass(frozen=True)
class Labelled:
    """The labelled structures of a seed.

    Attributes:
        folder: with the stored ``train``, ``validation`` and ``test`` structures.
        n_structures: of ``train``.
        zeros: energies of the elements [eV] that a head counts from where the settings do not say; None: fitted.
    """

    folder: Path
    n_structures: int
    zeros: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Injected:
    """Structures with labels of potentials in a training.

    Attributes:
        store: of them.
        n_structures: how many they are.
        alpha: weight of all of them beside all labelled structures.
        robust: whether they count by the biweight.
        per_epoch: how many of them an epoch draws for each labelled structure; None: all are in each epoch.
    """

    store: Path
    n_structures: int
    alpha: float
    robust: bool
    per_epoch: float | None = None

    def drawn(self, n_labelled: int) -> int:
        """Return how many of them an epoch has."""
        if self.per_epoch is None:
            return self.n_structures
        return min(self.n_structures, max(1, round(self.per_epoch * n_labelled)))


@dataclass(frozen=True)
class Trainings:
    """The settings of the trainings of an architecture with a seed.

    Attributes:
        config: of all.
        architecture: its name.
        seed: of the weights and the order of the batches.
    """

    config: InjectConfig
    architecture: str
    seed: int

    def on_labelled(
        self, method: str, labelled: Labelled, injected: Injected | None = None, start: Path | None = None
    ) -> TrainConfig:
        """Return the settings of a training on labelled structures.

        Args:
            method: its name.
            labelled: what is learnt.
            injected: what is learnt beside; None: nothing.
            start: run with whose representation it begins; None: random weights.
        """
        settings = merged(self._common, self.config.ways[method].training)
        parts: dict[str, Any] = {name: [str(labelled.folder / name)] for name in ("train", "validation", "test")}
        if injected is not None:
            parts["train"].append(str(injected.store))
            drawn = injected.drawn(labelled.n_structures)
            if drawn < injected.n_structures:
                parts["thinned"] = {"groups": [INJECTED], "per_epoch": drawn}
            settings = self._with_injected(settings, injected, labelled.n_structures)
        head = {} if "reference_energies" in settings else {"reference_energies": labelled.zeros}
        return self._checked(settings, parts, {HEAD: head}, start)

    def pretraining(self, store: Path, potentials: Sequence[str]) -> TrainConfig:
        """Return the settings of the pretraining on a stored pool, in which each potential's labels are a group.

        Args:
            store: the pool, once for each potential.
            potentials: whose labels stand there; each has a head.
        """
        own = merged(self.config.pretraining, self.config.architectures[self.architecture].pretraining)
        settings = self._common
        loss = settings.get("loss", {})
        settings["loss"] = {key: row for key, row in loss.items() if key not in ("group_weights", "robust_groups")}
        parts = {"train": [str(store)], "validation": HELD_BACK}
        return self._checked(merged(settings, own), parts, {name: {"groups": [name]} for name in potentials})

    @property
    def _common(self) -> dict[str, Any]:
        return merged(self.config.training, self.config.architectures[self.architecture].training)

    def _with_injected(self, settings: dict[str, Any], injected: Injected, n_labelled: int) -> dict[str, Any]:
        """Return settings with the weight of injected structures and what the budget leaves: epochs, as many validations."""
        drawn = injected.drawn(n_labelled)
        weights = {INJECTED: injected.alpha * n_labelled / drawn}
        robust = {"robust_groups": [INJECTED]} if injected.robust else {}
        found = merged(settings, {"loss": {"group_weights": weights, **robust}})
        if self.config.budget == "steps":
            share = n_labelled / (n_labelled + drawn)
            found["epochs"] = math.ceil(found.get("epochs", DEFAULT_EPOCHS) * share)
            found["validation_interval"] = max(1, round(found.get("validation_interval", 1) * share))
        return found

    def _checked(
        self,
        settings: Mapping[str, Any],
        parts: Mapping[str, Any],
        heads: Mapping[str, Any],
        start: Path | None = None,
    ) -> TrainConfig:
        if taken := [key for key in SET_HERE if key in settings]:
            raise ConfigError(f"training may not hold {', '.join(taken)}, which the injection sets itself.")
        potential = self.config.architectures[self.architecture].potential
        given = {
            "device": self.config.device,
            **settings,
            "potential": potential.model_dump(mode="json"),
            "seed": self.seed,
            "data": {**parts, "read": {"missing": "allow", "required": ["energy"]}},
            "heads": dict(heads),
            "start": None if start is None else str(start),
        }
        training = from_dict(given, TrainConfig, where=f"architectures.{self.architecture}")
        training.potential.summands()
        return training
