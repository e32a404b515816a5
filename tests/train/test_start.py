"""A training begins with the weights of another one where its settings say so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from unnp.config import from_dict
from unnp.errors import ConfigError, ModelError
from unnp.models.checkpoint import load_checkpoint, load_potential
from unnp.train.config import TrainConfig
from unnp.train.run import train

Settings = Callable[..., dict[str, Any]]
STILL = {"kind": "adamw", "learning_rate": 1e-12, "weight_decay": 0.0, "warmup_steps": 0, "final_learning_rate": 0.0}


@pytest.fixture(scope="module")
def first(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("first") / "run"
    train(from_dict(settings(epochs=2), TrainConfig), path)
    return path


def test_it_goes_on_with_weights_scale_and_reference_energies(first: Path, settings: Settings, tmp_path: Path) -> None:
    train(
        from_dict(settings(epochs=1, start=first.name, optimizer=STILL), TrainConfig),
        tmp_path / "run",
        base=first.parent,
    )
    before, after = load_potential(first)[0], load_potential(tmp_path / "run")[0]
    assert after.describe() == before.describe()
    weights = dict(after.named_parameters())
    assert all(torch.allclose(own, weights[name], atol=1e-9) for name, own in before.named_parameters())
    fresh = from_dict(settings(epochs=1, optimizer=STILL, seed=5), TrainConfig)
    train(fresh, tmp_path / "fresh")
    other = dict(load_potential(tmp_path / "fresh")[0].named_parameters())
    assert any(not torch.allclose(own, other[name], atol=1e-3) for name, own in before.named_parameters())


def test_it_is_resumed_as_any_other(first: Path, settings: Settings, tmp_path: Path) -> None:
    for name, epochs in (("once", [3]), ("twice", [1, 3])):
        for k, n in enumerate(epochs):
            config = from_dict(
                settings(epochs=n, start=str(first), optimizer={**STILL, "learning_rate": 0.01}), TrainConfig
            )
            config = config.model_copy(update={"max_minutes": None})
            train(config, tmp_path / name, resume=k > 0)
    steps = [load_checkpoint(tmp_path / f"{name}/checkpoints/last.safetensors") for name in ("once", "twice")]
    assert steps[0].description["position"]["epoch"] == steps[1].description["position"]["epoch"] == 3
    assert steps[0].description["potential"] == steps[1].description["potential"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtype": "float64"}, "has dtype float32, not float64"),
        ({"potential": {"architecture": "schnet", "settings": {"cutoff": 4.0}}}, "holds toy, not schnet"),
    ],
)
def test_another_potential_is_refused(
    changes: dict[str, Any], message: str, first: Path, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        train(from_dict(settings(start=str(first), **changes), TrainConfig), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_nothing_to_start_with_is_said(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        train(from_dict(settings(start=str(tmp_path / "nowhere")), TrainConfig), tmp_path / "run")
    with pytest.raises(ConfigError, match="tied_epochs"):
        from_dict(settings(start="run", tied_epochs=1), TrainConfig)
