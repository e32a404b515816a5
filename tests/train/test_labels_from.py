"""What data sets say about the sources of their labels is said by the card of a model that was trained on them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from unnp.config import from_dict
from unnp.data.opening import open_structures
from unnp.data.writing import write_structures
from unnp.train.building import build
from unnp.train.config import TrainConfig
from unnp.train.replay import open_all
from unnp.train.run import train

CHGNET = {"name": "chgnet 0.3.0", "zero of energy": "VASP with MP2020"}
SEVENNET = {"name": "sevennet 7net-0", "zero of energy": "VASP"}
TEACHER = {"name": "chgnet 0.3.0", "level of theory": "PBE and\nPBE+U", "licence": "modified BSD"}
OTHER = {"name": "7net-0", "level of theory": "PBE"}


def test_the_card_says_where_labels_are_from(
    settings: Callable[..., dict[str, Any]], data_files: dict[str, str], tmp_path: Path
) -> None:
    write_structures(open_structures(data_files["train"]), tmp_path / "set", origins=[TEACHER])
    data = {"train": [str(tmp_path / "set"), data_files["validation"]], "validation": 0.25}
    for epochs in (1, 2):
        train(from_dict(settings(data=data, epochs=epochs), TrainConfig), tmp_path / "run", resume=epochs > 1)
    card = yaml.safe_load((tmp_path / "run/card.yaml").read_text())
    assert card["data"]["labels_from"] == [TEACHER]
    text = (tmp_path / "run/card.md").read_text()
    assert "### Labels from chgnet 0.3.0\n\n* level of theory: PBE and\\nPBE+U\n* licence: modified BSD\n" in text


def test_without_any_the_card_says_nothing_of_it(settings: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    train(from_dict(settings(epochs=1), TrainConfig), tmp_path / "run")
    assert "labels_from" not in yaml.safe_load((tmp_path / "run/card.yaml").read_text())["data"]
    assert "Labels from" not in (tmp_path / "run/card.md").read_text()


def test_replayed_structures_say_it_too(
    settings: Callable[..., dict[str, Any]], data_files: dict[str, str], tmp_path: Path
) -> None:
    for name, origin in (("old", TEACHER), ("new", OTHER)):
        write_structures(open_structures(data_files["train"]), tmp_path / name, origins=[origin])
    data = {name: {"train": [str(tmp_path / name)], "validation": 0.25} for name in ("old", "new")}
    train(from_dict(settings(data=data["old"], epochs=1), TrainConfig), tmp_path / "run")
    begun = settings(data=data["new"], start=str(tmp_path / "run"))
    assert open_all(from_dict(begun, TrainConfig)).summary["labels_from"] == [OTHER]
    replayed = from_dict({**begun, "replay": {"per_epoch": 0.5}}, TrainConfig)
    assert open_all(replayed).summary["labels_from"] == [OTHER, TEACHER]


@pytest.fixture
def begun(settings: Callable[..., dict[str, Any]], data_files: dict[str, str], tmp_path: Path) -> Callable[..., None]:
    """A function that begins a training on stored data sets, each of one group and with the origins that are given."""

    def begin(heads: dict[str, Any] | None = None, **sets: list[dict[str, str]]) -> None:
        for name, origins in sets.items():
            frames = [replace(frame, group=name.split("_")[0]) for frame in open_structures(data_files["train"])]
            write_structures(frames, tmp_path / name, origins=origins)
        data = {"train": [str(tmp_path / name) for name in sets], "validation": 0.25}
        config = from_dict(settings(data=data, **({"heads": heads} if heads else {})), TrainConfig)
        build(config, open_all(config))

    return begin


def test_two_zeros_in_one_head_are_told(begun: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    begun(a=[CHGNET], b=[SEVENNET])
    assert "heads.default learns from labels of 2 sources" in caplog.text
    assert "chgnet 0.3.0 (VASP with MP2020); sevennet 7net-0 (VASP)" in caplog.text
    assert "give the groups of each a head of its own (`heads`)" in caplog.text


def test_two_data_sets_in_one_that_was_put_together_are_told(
    begun: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    begun(a=[CHGNET, SEVENNET])
    assert "heads.default learns from labels of 2 sources" in caplog.text


def test_one_source_or_a_head_for_each_is_no_reason_to_say_anything(
    begun: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    begun(a=[CHGNET], b=[CHGNET], c=[])
    begun({"one": {"groups": ["d"]}, "two": {}}, d=[CHGNET], e=[SEVENNET], f=[])
    assert "sources" not in caplog.text
    begun({"one": {"groups": ["g"]}, "two": {}}, g=[CHGNET], h=[SEVENNET], h_too=[CHGNET])
    assert "heads.two learns from labels of 2 sources" in caplog.text
    assert "heads.one" not in caplog.text
