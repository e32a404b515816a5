"""The classifier learns what tells structures apart, and is asked once."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import bulk
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.data.store_writer import write_store
from unnp.models import Head, PotentialConfig, TrainingData, architecture, build_potential
from unnp.workflows.inject.classifier import Classifier, Task, probabilities
from unnp.workflows.inject.config import ClassifierConfig

SCHNET = {"cutoff": 4.0, "features": 8, "interactions": 1, "gaussians": 8}


def crystals(n: int, seed: int) -> tuple[list[Structure], list[int]]:
    """Return crystals of copper that are compressed (class 0) or stretched (class 1)."""
    random = np.random.default_rng(seed)
    classes = random.integers(0, 2, n).tolist()
    found = []
    for k in classes:
        atoms = bulk("Cu", cubic=True, a=3.4 + 0.4 * k)
        atoms.positions += 0.05 * random.standard_normal((4, 3))
        found.append(Structure.from_atoms(atoms))
    return found, classes


def task(folder: Path, seed: int = 0) -> tuple[Task, list[int]]:
    parts, classes = [], []
    for name, n in (("train", 16), ("validation", 6), ("asked", 10)):
        structures, own = crystals(n, len(name))
        write_store(structures, folder / name, overwrite=True)
        parts.append(folder / name)
        classes.append(own)
    potential = PotentialConfig(architecture="schnet", settings=SCHNET)
    settings = ClassifierConfig(epochs=30, batch_size=8, learning_rate=0.01)
    made = Task(
        potential,
        settings,
        (parts[0], classes[0]),
        (parts[1], classes[1]),
        (parts[2],),
        ["Cu"],
        3,
        seed,
        "cpu",
        folder / "classifier.json",
    )
    return made, classes[2]


def test_it_tells_compressed_from_stretched_crystals(tmp_path: Path) -> None:
    asked, right = task(tmp_path)
    found = probabilities(asked)
    assert found.shape == (10, 3)
    assert np.allclose(found.sum(1), 1, atol=1e-5)
    assert found.argmax(1).tolist() == right
    assert found[:, 2].max() < 0.2  # a class that no structure has


def test_it_is_trained_once_and_again_for_another_seed(tmp_path: Path) -> None:
    asked, _ = task(tmp_path)
    first = probabilities(asked)
    written = asked.file.stat().st_mtime_ns
    assert np.array_equal(probabilities(asked), first)
    assert asked.file.stat().st_mtime_ns == written
    other, _ = task(tmp_path, seed=1)
    assert not np.array_equal(probabilities(other), first)


@pytest.mark.parametrize("name", ["schnet", "cgcnn", "soapnet", "gemnet-t", "teanet"])
def test_any_architecture_classifies_and_repeats_count_for_nothing(name: str) -> None:
    settings = PotentialConfig(architecture=name, settings=architecture(name).example_settings)
    torch.manual_seed(0)
    potential = build_potential(settings, ["Cu"], [Head(1.0, {"Cu": 0.0})], TrainingData(10.0))
    classifier = Classifier(potential, 4)
    atoms = bulk("Cu", cubic=True, a=3.5)
    atoms.rattle(0.1, seed=1)
    pair = [Structure.from_atoms(atoms), Structure.from_atoms(atoms.repeat((2, 1, 1)))]
    graphs = [Graph.of(s, Elements(["Cu"]), potential.cutoff()).to("cpu", torch.float32) for s in pair]
    one, two = classifier(Graph.batch(graphs))
    assert one.shape == (4,)
    assert torch.allclose(one, two, atol=1e-4)
    assert one.std() > 0
