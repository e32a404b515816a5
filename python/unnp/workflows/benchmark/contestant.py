"""One contestant with one seed: its training, its errors and its cost, each made once for the settings that it depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.config import from_dict, load_yaml
from unnp.errors import ConfigError, UnnpError, in_one_line
from unnp.exported.export import export_model
from unnp.files.writing import make_folder, read_json, write_atomically
from unnp.lammps.launch import Launch
from unnp.lammps.system_config import InteractionConfig
from unnp.models.checkpoint import load_potential, training_data
from unnp.train.config import TrainConfig
from unnp.train.run import train
from unnp.workflows.benchmark.config import BenchmarkConfig
from unnp.workflows.benchmark.cost import cost
from unnp.workflows.benchmark.errors import check_peer, of_model, of_peer

ERRORS_FILE, COST_FILE = "errors.json", "cost.json"

Result = dict[str, Any]


@dataclass(frozen=True)
class Contestant:
    """A potential that is trained with one seed, or one that is there.

    Attributes:
        name: of the contestant.
        folder: for its run, its model and its results.
        training: its training; None of a peer.
        peer: the potential that is there; None of a training.
        base: where relative paths of the peer begin.
    """

    name: str
    folder: Path
    training: TrainConfig | None
    peer: InteractionConfig | None
    base: Path

    @property
    def run(self) -> Path:
        """The folder of its training."""
        return self.folder / "run"

    def check(self, test: Sequence[Structure], device: str) -> None:
        """Find what is wrong before anything is trained.

        Raises:
            ConfigError: its training has begun with other settings, or its architecture does not exist.
            UnnpError: the peer cannot compute the test structures.
        """
        if self.peer is not None:
            check_peer(self.peer, test, self.base, device)
        if self.training is None:
            return
        self.training.potential.summands()
        config = self.run / "config.yaml"
        if not config.is_file():
            return
        at_home = self.training.data.located(self.folder, relative_to=self.run)
        now, before = self.training.model_copy(update={"data": at_home}), load_yaml(config, TrainConfig)
        changed = [name for name in TrainConfig.model_fields if getattr(now, name) != getattr(before, name)]
        if changed:
            raise ConfigError(
                f"models.{self.name}: {', '.join(changed)} changed since the training in {self.run} began. Restore "
                f"them, remove {self.folder} to train it anew, or give the contestant another name."
            )

    def result(self, config: BenchmarkConfig, test: Sequence[Structure]) -> Result:
        """Return errors, sizes and costs; made where they are not there yet, or were made with other settings."""
        make_folder(self.folder)
        depends = {"test": fingerprint(test), "peer": _dumped(self.peer)}
        errors = _kept(self.folder / ERRORS_FILE, depends, lambda: self._errors(test, config.device))
        if config.cost is None:
            return errors
        launch = {name: getattr(config, name) for name in Launch.model_fields}
        depends |= {"cost": _dumped(config.cost), **launch}
        return errors | _kept(self.folder / COST_FILE, depends, lambda: self._cost(config, test))

    def _errors(self, test: Sequence[Structure], device: str) -> Result:
        print(f"{self.name}, {self.folder.name}", flush=True)
        if self.peer is not None:
            return {"errors": of_peer(self.peer, test, self.base, device)}
        assert self.training is not None
        if not (self.run / "card.yaml").is_file():
            train(self.training, self.run, resume=(self.run / "config.yaml").is_file(), base=self.folder)
        potential, description = load_potential(self.run)
        model, position = self.folder / "model.pt", description["position"]
        export_model([potential], model, name=self.name, data=training_data(description))
        return {
            "errors": of_model(model, test, device),
            "n_parameters": potential.n_parameters,
            "minutes": position["seconds"] / 60,
            "epochs": position["epoch"],
        }

    def _cost(self, config: BenchmarkConfig, test: Sequence[Structure]) -> Result:
        """Return the cost in LAMMPS; where it cannot be had, why."""
        assert config.cost is not None
        periodic = [s for s in test if s.pbc.all()] or list(test)
        potential, base = self.peer, self.base
        if potential is None:
            potential, base = InteractionConfig(model=Path("model.pt")), self.folder
        try:
            return dict(cost(potential, max(periodic, key=len), config.cost, config, base, self.folder / "lammps"))
        except UnnpError as error:
            return {"note": in_one_line(f"no cost in LAMMPS: {error}", 300)}


def contestants(config: BenchmarkConfig, base: Path, folder: Path) -> list[Contestant]:
    """Return all contestants with all their seeds, in order.

    Args:
        config: of the benchmark.
        base: where relative paths in it begin.
        folder: of the benchmark.

    Raises:
        ConfigError: wrong settings of a training.
    """
    found = []
    for name, model in config.models.items():
        for seed in config.seeds if model.potential is not None else [0]:
            training = _training(config, base, name, seed) if model.potential is not None else None
            found.append(Contestant(name, folder / name / f"seed-{seed}", training, model.peer, base))
    return found


def _training(config: BenchmarkConfig, base: Path, name: str, seed: int) -> TrainConfig:
    """Return the configuration of a training. It does not know the test data, which the benchmark looks at itself."""
    model = config.models[name]
    assert model.potential is not None
    settings = merged(config.training, model.training)
    data = config.data.located(base).model_copy(update={"test": []})
    given = {**settings, "potential": model.potential.model_dump(mode="json"), "seed": seed}
    given |= {"data": data.model_dump(mode="json"), "device": settings.get("device", config.device)}
    return from_dict(given, TrainConfig, where=f"models.{name}")


def merged(common: Result, own: Result) -> Result:
    """Return settings with those of ``own`` in the place of those of ``common``; tables are merged key by key."""
    result = dict(common)
    for key, value in own.items():
        before = result.get(key)
        result[key] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result


def fingerprint(structures: Sequence[Structure]) -> str:
    """Return a checksum of structures and their labels, by which other test data are noticed."""
    digest = hashlib.sha256()
    for structure in structures:
        for value in (structure.numbers, structure.positions, structure.cell, structure.pbc, structure.group):
            digest.update(np.ascontiguousarray(value).tobytes())
        for name in QUANTITIES:
            if (label := structure.label(name)) is not None:
                digest.update(name.encode() + np.ascontiguousarray(label).tobytes())
    return digest.hexdigest()


def _kept(path: Path, depends: Result, make: Callable[[], Result]) -> Result:
    """Return a result from its file where that was made under the same conditions; else make it, and write the file."""
    conditions = json.loads(json.dumps(depends))
    if path.is_file():
        found: Result = read_json(path)
        if found["depends_on"] == conditions:
            return dict(found["result"])
    result = make()
    write_atomically(path, json.dumps({"depends_on": conditions, "result": result}, indent=1) + "\n")
    return result


def _dumped(config: Any) -> Any:
    return None if config is None else config.model_dump(mode="json")
