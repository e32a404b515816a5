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
from unnp.train.labels import few_robust_labels
from unnp.train.loss import LossConfig
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


def test_too_few_labels_for_the_scale_of_robust_groups_are_said_once_at_the_start(
    thinned: Callable[..., TrainConfig], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loss = {"energy": {"weight": 1.0}, "robust_groups": ["many"]}
    train(thinned(MANY, epochs=1, loss=loss), tmp_path / "run")
    # 2 + 2 structures in batches of two; 12 force components of a structure suffice
    (text,) = [record.message for record in caplog.records if "robust_groups" in record.message]
    assert "a batch has 1.0 labels of energy of these groups on average" in text
    assert "give a larger batch_size, about 16," in text
    caplog.clear()
    train(thinned(MANY, epochs=2, loss=loss), tmp_path / "run", resume=True)
    assert "robust_groups" not in caplog.text


@pytest.mark.parametrize(
    ("robust", "n_batches", "said"), [(["many"], 1, ["energy"]), (["many"], 7, ["energy", "forces"]), ([], 7, [])]
)
def test_each_term_has_labels_of_its_own(
    thinned: Callable[..., TrainConfig], robust: list[str], n_batches: int, said: list[str]
) -> None:
    table = from_dict({"robust_groups": robust}, LossConfig)
    structures = open_sources(thinned(MANY).data, 0).train
    found = few_robust_labels(table, structures, (6, 4), n_batches, 4)
    assert [name for text in found for name in ("energy", "forces", "stress") if f"labels of {name} of" in text] == said
    assert few_robust_labels(table, structures, (0, 0), 1, 4) == few_robust_labels(table, structures, (6, 6), 1, 4)
    assert few_robust_labels(table, list(structures) * 2, (0, 0), 1, 4) == []
