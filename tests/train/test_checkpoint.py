"""The checkpoint file: what goes in comes out, and nothing else passes for one."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from unnp.errors import ModelError, UnnpError
from unnp.models import Head, Potential, PotentialConfig, TrainingData, build_potential
from unnp.models import checkpoint as module
from unnp.models.checkpoint import (
    Checkpoint,
    find_checkpoint,
    load_checkpoint,
    load_potential,
    save_checkpoint,
    training_data,
)


def make_potential() -> Potential:
    torch.manual_seed(0)
    return build_potential(PotentialConfig(architecture="toy"), ["Ni"], [Head(1.0, {"Ni": -5.0})], TrainingData(10.0))


def make(potential: Potential) -> Checkpoint:
    weights = potential.state_dict()
    tensors = {f"raw.{k}": v + 1 for k, v in weights.items()} | {f"average.{k}": v for k, v in weights.items()}
    return Checkpoint({"potential": potential.describe(), "dtype": "float32"}, tensors)


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        ({"stress_offset": {"a": 1.5}}, {"n_atoms": 4, "stress_offset": {"a": 1.5}}),
        ({"stress_offset": {}}, {"n_atoms": 4}),
    ],
)
def test_an_exported_file_says_the_offset_beside_the_data(offset: dict[str, Any], expected: dict[str, Any]) -> None:
    assert training_data({"data": {"n_atoms": 4}, **offset}) == expected


def test_round_trip(tmp_path: Path) -> None:
    potential, path = make_potential(), tmp_path / "checkpoints" / "kept.safetensors"
    path.parent.mkdir()
    original = make(potential)
    save_checkpoint(path, original)
    again = load_checkpoint(path)
    assert again.description == original.description
    assert all(torch.equal(again.tensors[k], v) for k, v in original.tensors.items())
    for source in (path, tmp_path):
        loaded, description = load_potential(source)
        assert description["dtype"] == "float32"
        assert all(torch.equal(loaded.state_dict()[k], v) for k, v in potential.state_dict().items())
    raw, _ = load_potential(path, weights="raw")
    assert all(torch.equal(raw.state_dict()[k], v + 1) for k, v in potential.state_dict().items())
    assert [p.name for p in path.parent.iterdir()] == ["kept.safetensors"]


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.99])
def test_truncated(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, make(make_potential()))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ModelError, match="truncated"):
        load_checkpoint(path)


def test_foreign_missing_and_newer_files(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    with pytest.raises(ModelError, match="does not exist"):
        load_checkpoint(path)
    path.write_text("not a checkpoint, but long enough to have a header of its own")
    with pytest.raises(ModelError, match="truncated or another kind of file"):
        load_checkpoint(path)
    for metadata in (None, {"unnp": "no json"}, {"unnp": "[]"}, {"unnp": '{"format": "other", "format_version": 1}'}):
        save_file({"w": torch.zeros(2)}, path, metadata=metadata)
        with pytest.raises(ModelError, match="no checkpoint of unnp"):
            load_checkpoint(path)
    save_file({"w": torch.zeros(2)}, path, metadata={"unnp": '{"format": "unnp-checkpoint", "format_version": 99}'})
    with pytest.raises(ModelError, match="format 99"):
        load_checkpoint(path)
    with pytest.raises(ModelError, match="holds no checkpoint"):
        find_checkpoint(tmp_path)


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    path, content = tmp_path / "x.safetensors", make(make_potential())
    content.description["potential"]["settings"]["width"] = 7
    save_checkpoint(path, content)
    with pytest.raises(ModelError, match="do not fit"):
        load_potential(path)
    del content.description["potential"]
    save_checkpoint(path, content)
    with pytest.raises(ModelError, match="do not fit"):
        load_potential(path)


def test_older_versions_are_upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(description: dict[str, object], tensors: dict[str, torch.Tensor]) -> None:
        description["new"] = description.pop("old")
        tensors["b"] = tensors.pop("a")

    path = tmp_path / "x.safetensors"
    save_checkpoint(path, Checkpoint({"old": 5}, {"a": torch.ones(1)}))
    version = module.FORMAT_VERSION
    monkeypatch.setattr(module, "FORMAT_VERSION", version + 1)
    monkeypatch.setattr(module, "_UPGRADES", {version: rename})
    again = load_checkpoint(path)
    assert again.description == {"new": 5}
    assert list(again.tensors) == ["b"]


def test_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, make(make_potential()))
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UnnpError, match="No space left"):
        save_checkpoint(path, make(make_potential()))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["last.safetensors"]
