"""Every wrong key and value of a training's configuration is named, with what is allowed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from unnp.config import dump_yaml, from_dict
from unnp.config.overrides import load_with_overrides
from unnp.errors import ConfigError
from unnp.train.config import TrainConfig

Settings = Callable[..., dict[str, Any]]

WRONG = [
    ("epoch", 3, "Did you mean 'epochs'"),
    ("epochs", 0, "epochs: Input should be greater than 0"),
    ("epochs", "many", "epochs: .*got 'many'"),
    ("seed", -1, "seed"),
    ("dtype", "float16", "dtype: .*'float32' or 'float64'"),
    ("device", "gpu", "device.*allowed"),
    ("threads", 0, "threads"),
    ("batch_size", 0, "batch_size"),
    ("max_atoms", -1, "max_atoms"),
    ("max_cost", 1.5, "max_cost"),
    ("max_minutes", 0, "max_minutes"),
    ("tied_epochs", -1, "tied_epochs"),
    ("validation_interval", 0, "validation_interval"),
    ("patience", 0, "patience"),
    ("checkpoint_minutes", 0, "checkpoint_minutes"),
    ("reference_energies", "zeros", "reference_energies"),
    ("data.trian", ["x"], "Did you mean 'train'"),
    ("data.train", [], "data.train"),
    ("data.train", "x.xyz", "data.train"),
    ("data.validation", 1.5, "data.validation"),
    ("data.cache_gib", 0, "data.cache_gib"),
    ("data.read.energy", "E", "Did you mean 'energy_key'"),
    ("potential.architectur", "teanet", "Did you mean 'architecture'"),
    ("loss.force.weight", 1.0, "Did you mean 'forces'"),
    ("loss.group_weights.a", -1.0, "loss.group_weights.a"),
    ("optimizer.lr", 0.1, "optimizer.lr: unknown key"),
    ("optimizer.learning_rate", 0.0, "optimizer.learning_rate"),
    ("optimizer.final_learning_rate", -1.0, "optimizer.final_learning_rate"),
    ("optimizer.warmup_steps", -1, "optimizer.warmup_steps"),
    ("optimizer.weight_decay", -1.0, "optimizer.weight_decay"),
    ("optimizer.betas", [0.9], "optimizer.betas"),
    ("optimizer.betas", [0.9, 1.0], "optimizer.betas"),
    ("optimizer.epsilon", 0, "optimizer.epsilon"),
    ("optimizer.clip", 0, "optimizer.clip"),
    ("optimizer.average_decay", 1.0, "optimizer.average_decay"),
]


@pytest.mark.parametrize(("key", "value", "message"), WRONG, ids=[f"{k}={v}" for k, v, _ in WRONG])
def test_wrong_settings(settings: Settings, tmp_path: Path, key: str, value: Any, message: str) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump(settings()))
    with pytest.raises(ConfigError, match=message):
        load_with_overrides(path, [f"{key}={yaml.safe_dump(value, default_flow_style=True)}"], TrainConfig)


def test_resolved_configuration_reads_back(settings: Settings) -> None:
    config = from_dict(settings(), TrainConfig)
    assert from_dict(yaml.safe_load(dump_yaml(config)), TrainConfig) == config


def test_overrides_replace_and_add(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump(settings()))
    config = load_with_overrides(path, ["epochs=7", "optimizer.clip=null", "loss.energy.kind=mae"], TrainConfig)
    assert (config.epochs, config.optimizer.clip, config.loss.energy.kind) == (7, None, "mae")
    assert config.loss.energy.weight == 1.0


@pytest.mark.parametrize("setting", ["epochs", "=3", "epochs.more=3", "epochs=[1"])
def test_malformed_overrides(settings: Settings, tmp_path: Path, setting: str) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump(settings()))
    with pytest.raises(ConfigError, match="--set"):
        load_with_overrides(path, [setting], TrainConfig)


def test_paths_are_moved(settings: Settings, tmp_path: Path) -> None:
    config = from_dict(settings(data={"train": ["a/x.xyz"], "validation": 0.5, "test": ["/t.xyz"]}), TrainConfig)
    data = config.data.located("/base")
    assert (data.train, data.validation, data.test) == (["/base/a/x.xyz"], 0.5, ["/t.xyz"])
    assert config.data.located("/base", relative_to="/base/run").train == ["../a/x.xyz"]
