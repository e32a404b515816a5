"""Groups of which each epoch draws some structures: the others are in every epoch, and each is drawn sooner or later."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from unnp.config import from_dict
from unnp.data.batching import BatchSampler
from unnp.data.statistics import group_names
from unnp.errors import ConfigError
from unnp.train.config import TrainConfig
from unnp.train.datasets import open_sources
from unnp.train.run import train
from unnp.train.structures import sources_of_run

MANY = {"groups": ["many"], "per_epoch": 2}


@pytest.fixture
def thinned(settings: Callable[..., dict[str, Any]], data_files: dict[str, str]) -> Callable[..., TrainConfig]:
    """A function that returns a training on 2 structures of the group few and 6 of the group many."""

    def make(of: dict[str, Any], **changes: Any) -> TrainConfig:
        data = {"train": [data_files["train"]], "validation": [data_files["validation"]], "thinned": of}
        return from_dict(settings(data=data, **changes), TrainConfig)

    return make


def test_an_epoch_has_all_others_and_draws_some(thinned: Callable[..., TrainConfig], tmp_path: Path) -> None:
    config = thinned(MANY, epochs=2, batch_size=1)
    sources = open_sources(config.data, 0)
    assert group_names(sources.train) == ["few"] * 2 + ["many"] * 6
    assert (sources.pool, sources.drawn) == (6, 2)
    train(config, tmp_path / "run")
    card = yaml.safe_load((tmp_path / "run/card.yaml").read_text())
    assert card["training"]["steps"] == 2 * (2 + 2)
    assert group_names(sources_of_run(tmp_path / "run").train) == group_names(sources.train)


def test_every_structure_is_drawn_in_some_epoch(thinned: Callable[..., TrainConfig]) -> None:
    sources = open_sources(thinned({"groups": ["many"], "per_epoch": 0.34}).data, 0)
    sampler = BatchSampler([4] * 8, [9] * 8, batch_size=1, shuffle=True, seed=3, drawn=(sources.pool, sources.drawn))
    epochs = [{k for batch in sampler.epoch(n) for k in batch} for n in range(20)]
    assert all(len(epoch) == 4 and {0, 1} < epoch for epoch in epochs)
    assert set.union(*epochs) == set(range(8))


@pytest.mark.parametrize(
    ("of", "message"),
    [
        ({"groups": ["lots"], "per_epoch": 2}, "no training structure has the group 'lots'; there are 'few', 'many'"),
        ({"groups": ["many"], "per_epoch": 7}, "data.thinned.per_epoch: 7 of 6 structures are 7"),
    ],
)
def test_groups_that_cannot_be_drawn_from(
    thinned: Callable[..., TrainConfig], of: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        open_sources(thinned(of).data, 0)


def test_replay_says_it_for_old_structures(thinned: Callable[..., TrainConfig], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"replay and data\.thinned"):
        train(thinned(MANY, replay={"per_epoch": 2}, start=str(tmp_path)), tmp_path / "run")
