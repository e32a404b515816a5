"""Labelled structures and configurations for a training that takes a second."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from fine_tuned import SLOW, labelled
from unnp.config import from_dict
from unnp.train.config import TrainConfig
from unnp.train.run import train

HERE = Path(__file__).parent
Settings = Callable[..., dict[str, Any]]
Configuration = Callable[..., TrainConfig]


def _import_toy() -> Any:
    spec = importlib.util.spec_from_file_location("toy", HERE / "toy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["toy"] = module
    spec.loader.exec_module(module)
    return module


_import_toy()


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def make_frames(n: int, seed: int) -> list[Any]:
    """Return strained and rattled Al-Cu cells of four atoms with energies, forces and stresses of EMT."""
    random = np.random.default_rng(seed)
    frames = []
    for k in range(n):
        atoms = bulk("Al", cubic=True, a=4.0 + 0.1 * random.standard_normal())
        atoms.symbols[: k % 4] = "Cu"
        atoms.positions += 0.1 * random.standard_normal((4, 3))
        atoms.calc = EMT()
        labels = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
        atoms.calc = SinglePointCalculator(atoms, **labels)
        atoms.info["group"] = "few" if k % 4 == 1 else "many"
        frames.append(atoms)
    return frames


@pytest.fixture(scope="session")
def data_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files with 8 structures for training and 4 for validation."""
    folder = tmp_path_factory.mktemp("data")
    paths = {"train": str(folder / "train.extxyz"), "validation": str(folder / "validation.extxyz")}
    write(paths["train"], make_frames(8, seed=1))
    write(paths["validation"], make_frames(4, seed=2))
    return paths


@pytest.fixture(scope="session")
def settings(data_files: dict[str, str]) -> Callable[..., dict[str, Any]]:
    """A function that returns the settings of a training; keyword arguments replace top-level ones."""

    def make(**changes: Any) -> dict[str, Any]:
        return {
            "data": {"train": [data_files["train"]], "validation": [data_files["validation"]]},
            "potential": {"architecture": "toy"},
            "loss": {"energy": {"weight": 1.0}, "forces": {"weight": 1.0}, "stress": {"weight": 10.0}},
            "optimizer": {"learning_rate": 0.01, "warmup_steps": 2, "average_decay": 0.9},
            "device": "cpu",
            "threads": 1,
            "batch_size": 2,
            "epochs": 3,
            **changes,
        }

    return make


@pytest.fixture(scope="session")
def configuration(settings: Callable[..., dict[str, Any]]) -> Callable[..., TrainConfig]:
    """The same as a validated configuration."""
    return lambda **changes: from_dict(settings(**changes), TrainConfig)


@pytest.fixture(scope="module")
def first(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on Al-Cu, with one head."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("first") / "run"
    train(from_dict(settings(epochs=20, validation_interval=20), TrainConfig), path)
    return path


@pytest.fixture
def tuned(first: Path, settings: Settings, tmp_path: Path) -> Configuration:
    """A function that returns the settings of a training on cells of Cu that begins with the run."""
    write(tmp_path / "cu.extxyz", labelled("Cu", 4, a=3.6))
    data = {"train": [str(tmp_path / "cu.extxyz")], "validation": 0.25}
    return lambda **changes: from_dict(
        settings(**{"data": data, "start": str(first), "optimizer": SLOW, "epochs": 2, **changes}), TrainConfig
    )
