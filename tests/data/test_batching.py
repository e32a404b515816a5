"""Batches: everything once per epoch, within the bounds, the same on all ranks."""

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unnp.data.batching import BatchSampler
from unnp.errors import ConfigError

SIZES = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 300)), min_size=1, max_size=60)


@given(
    sizes=SIZES,
    batch_size=st.integers(1, 8),
    max_atoms=st.integers(30, 90),
    max_cost=st.integers(300, 900),
    world_size=st.integers(1, 4),
    epoch=st.integers(0, 3),
    shuffle=st.booleans(),
)
def test_every_structure_once_within_the_bounds(
    sizes: list[tuple[int, int]],
    batch_size: int,
    max_atoms: int,
    max_cost: int,
    world_size: int,
    epoch: int,
    shuffle: bool,
) -> None:
    n_atoms, costs = np.array(sizes).T
    ranks = [
        BatchSampler(
            n_atoms,
            costs,
            batch_size=batch_size,
            max_atoms=max_atoms,
            max_cost=max_cost,
            shuffle=shuffle,
            seed=5,
            rank=rank,
            world_size=world_size,
        ).epoch(epoch)
        for rank in range(world_size)
    ]
    assert len({len(batches) for batches in ranks}) == 1
    batches = [batch for rank in ranks for batch in rank]
    assert sorted(k for batch in batches for k in batch) == list(range(len(sizes)))
    for batch in batches:
        assert len(batch) <= batch_size
        assert n_atoms[batch].sum() <= max_atoms
        assert costs[batch].sum() <= max_cost
    if len(sizes) >= world_size * len(ranks[0]):
        assert all(batches)


def test_order_depends_on_seed_and_epoch_only() -> None:
    def order(seed: int, epoch: int, shuffle: bool = True) -> list[list[int]]:
        sizes = np.ones(40, dtype=int)
        return BatchSampler(sizes, sizes, batch_size=7, shuffle=shuffle, seed=seed).epoch(epoch)

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)
    assert [k for batch in order(1, 5, shuffle=False) for k in batch] == list(range(40))


def test_a_structure_above_a_bound_stands_alone_and_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        sampler = BatchSampler([2, 50, 2], [1, 9, 1], batch_size=3, max_atoms=10, shuffle=False, seed=0)
        batches = [sampler.epoch(k) for k in range(3)]
    assert batches == [[[0], [1], [2]]] * 3
    assert len(caplog.records) == 1
    assert "structure 1 with 50 atoms and 9 bonds" in caplog.text
    with caplog.at_level(logging.WARNING):
        BatchSampler([2, 2], [700, 4], unit="triplets", batch_size=3, max_cost=600, shuffle=False, seed=0)
    assert "structure 0 with 2 atoms and 700 triplets" in caplog.text


def test_fewer_structures_than_ranks_leaves_empty_lists() -> None:
    epochs = [
        BatchSampler([1], [1], batch_size=1, shuffle=True, seed=0, rank=rank, world_size=3).epoch(0)
        for rank in range(3)
    ]
    assert sorted(epochs) == [[[]], [[]], [[0]]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size must be 1 or more"),
        ({"batch_size": 1, "max_atoms": 0}, "max_atoms must be 1 or more"),
        ({"batch_size": 1, "max_cost": -1}, "max_cost must be 1 or more"),
        ({"batch_size": 1, "rank": 2, "world_size": 2}, r"rank must be in 0\.\.1"),
    ],
)
def test_wrong_settings(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BatchSampler([1], [1], shuffle=False, seed=0, **settings)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="they must agree"):
        BatchSampler([1, 2], [1], batch_size=1, shuffle=False, seed=0)
