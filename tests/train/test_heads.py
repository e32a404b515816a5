"""Trainings with several levels of theory."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from unnp.errors import ConfigError
from unnp.models.checkpoint import load_potential
from unnp.train.building import build
from unnp.train.config import HeadConfig, TrainConfig
from unnp.train.datasets import open_sources
from unnp.train.heads import heads_of_groups
from unnp.train.run import train

Configuration = Callable[..., TrainConfig]
HEADS = {"coarse": {"groups": ["few"], "reference_energies": "zero"}, "fine": {}}


def test_each_head_has_the_scale_and_references_of_its_own_data(configuration: Configuration) -> None:
    config = configuration(heads=HEADS)
    sources = open_sources(config.data, seed=0)
    potential, datasets = build(config, sources)
    coarse, fine = potential.heads
    assert (coarse.name, coarse.groups, fine.name, fine.groups) == ("coarse", ("few",), "fine", ("many",))
    assert coarse.reference_energies == {"Al": 0.0, "Cu": 0.0}
    assert all(energy != 0 for energy in fine.reference_energies.values())
    for head, group in ((coarse, "few"), (fine, "many")):
        forces = np.concatenate([s.forces for s in sources.train if s.group == group])
        assert head.energy_scale == pytest.approx(np.sqrt(np.square(forces).mean()))
    for name, dataset in datasets.items():
        for k, structure in enumerate(sources.parts[name]):
            assert dataset[k].graph.head.tolist() == [0 if structure.group == "few" else 1]


def test_training_and_export(configuration: Configuration, tmp_path: Path) -> None:
    train(configuration(heads=HEADS), tmp_path / "run")
    potential, _ = load_potential(tmp_path / "run")
    assert [head.name for head in potential.heads] == ["coarse", "fine"]
    assert load_potential(tmp_path / "run", "raw")[0].describe() == potential.describe()


def test_one_head_needs_no_words(configuration: Configuration) -> None:
    potential, datasets = build(configuration(), open_sources(configuration().data, seed=0))
    assert [(head.name, head.groups) for head in potential.heads] == [("default", ("few", "many"))]
    assert not datasets["train"][0].graph.head.any()


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        ({"a": ["bulk"]}, "the groups slabs belong to none"),
        ({"a": ["bulk"], "b": ["slab"]}, r"heads.b: unknown group 'slab'; allowed: bulk, slabs. Did you mean 'slabs'"),
        ({"a": ["bulk"], "b": ["bulk", "slabs"]}, "heads.b: the group 'bulk' belongs to another head already"),
        ({"a": None, "b": None}, "at most one may leave out `groups`"),
    ],
)
def test_wrong_assignments(heads: dict[str, list[str] | None], message: str) -> None:
    given = {name: HeadConfig(groups=groups) for name, groups in heads.items()}
    with pytest.raises(ConfigError, match=message):
        heads_of_groups(given, ["bulk", "slabs"])


def test_a_head_without_data(configuration: Configuration) -> None:
    config = configuration(heads={"all": {"groups": ["few", "many"]}, "none": {}})
    with pytest.raises(ConfigError, match=r"heads\.none has no training structures"):
        build(config, open_sources(config.data, seed=0))


def test_names_are_one_word(configuration: Configuration) -> None:
    with pytest.raises(ConfigError, match="heads"):
        configuration(heads={"two words": {}})
