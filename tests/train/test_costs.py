"""A batch is bounded by what the architecture costs: bonds, or triplets of atoms."""

from __future__ import annotations

import logging
from typing import ClassVar

import numpy as np
import pytest
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.data.costs import count_bonds, count_triplets
from unnp.data.dataset import Dataset
from unnp.evaluate.evaluation import Limits, predictions
from unnp.exported.export import export_model
from unnp.exported.loader import load_model
from unnp.models import Head, PotentialConfig, TrainingData, architectures, build_potential, register, registry
from unnp.models.architectures.schnet import SchNet
from unnp.nn.edges import directed
from unnp.nn.triplets import chains
from unnp.train.config import TrainConfig
from unnp.train.datasets import sampler_of
from unnp.train.distributed import Processes


class Angles(SchNet):
    """A network that says that it makes triplets."""

    cost: ClassVar = "triplets"


@pytest.fixture(autouse=True)
def angles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.REGISTRY, "entries", architectures())
    register("angles")(Angles)


def crystals() -> list[Structure]:
    """Crystals of 1 to 4 atoms: dense, so that triplets grow faster than bonds."""
    rng = np.random.default_rng(0)
    cell = 3.0 * np.eye(3)
    return [
        Structure(np.full(n, 13), rng.uniform(0, 3, (n, 3)), cell, np.ones(3, dtype=bool)) for n in (1, 2, 3, 4, 1, 2)
    ]


def config(name: str, **settings: object) -> TrainConfig:
    return TrainConfig(data={"train": ["x"]}, potential={"architecture": name}, batch_size=100, **settings)


def test_triplets_are_counted_as_they_are_made():
    for structure in crystals():
        graph = Graph.of(structure, Elements(["Al"]), 4.0)
        made = chains(directed(graph.bond_index, graph.bond_vector, graph.n_atoms), graph.n_atoms)[0]
        assert count_triplets(graph.bond_index.numpy()) == len(made) > 0
        assert count_bonds(graph.bond_index.numpy()) == graph.n_bonds
    assert count_triplets(np.zeros((2, 0), dtype=np.int64)) == 0


@pytest.mark.parametrize(("name", "unit"), [("toy", "bonds"), ("angles", "triplets")])
def test_training_batches_are_bounded_by_the_cost(name, unit, caplog):
    dataset = Dataset(crystals(), Elements(["Al"]), 4.0)
    costs = dataset.costs(unit)
    bound = int(costs[1] + costs[2])
    with caplog.at_level(logging.WARNING):
        batches = sampler_of(config(name, max_cost=bound), dataset, Processes(), shuffle=False).epoch(0)
    assert sorted(k for batch in batches for k in batch) == list(range(6))
    assert all(costs[batch].sum() <= bound or len(batch) == 1 for batch in batches)
    assert len(batches) > 1
    assert (costs[3] > bound) == bool(caplog.records)
    assert all(f"and {costs[3]} {unit})" in record.getMessage() for record in caplog.records)


def test_the_exported_model_bounds_batches_by_the_same(tmp_path):
    heads, data = [Head(1.0, {"Al": 0.0})], TrainingData(10.0)
    potential = build_potential(
        PotentialConfig(architecture="angles", settings=SchNet.example_settings), ["Al"], heads, data
    )
    export_model([potential], tmp_path / "m.pt", name="angles")
    loaded = load_model(tmp_path / "m.pt", device="cpu")
    assert loaded.manifest.cost == "triplets"
    dataset = Dataset(crystals(), loaded.elements, loaded.cutoff, cache_bytes=0)
    bound = int(dataset.costs("triplets")[:2].sum())
    batches = [indices for indices, _, _ in predictions(loaded, dataset, Limits(1000, bound))]
    assert batches[0] == [0, 1]
    assert [k for batch in batches for k in batch] == list(range(6))
    assert all(dataset.costs("triplets")[batch].sum() <= bound or len(batch) == 1 for batch in batches)
