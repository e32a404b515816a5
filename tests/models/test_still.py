"""What moves by itself during training is refused, with its name and reason."""

import pytest
import torch
from torch import Tensor, nn
from unnp.errors import ConfigError
from unnp.models import (
    Head,
    Potential,
    PotentialConfig,
    TrainingData,
    architecture,
    architectures,
    build_potential,
    registry,
)
from unnp.models.still import check_still
from unnp.nn.system import System

SETTINGS = {"layer_cutoffs": [3.0, 4.0], "scalars": 4, "vectors": 2, "tensors": 2, "hidden": 4}


class Counter(nn.Module):
    """A layer that counts how often it was used."""

    n: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("n", torch.zeros(1))

    def forward(self, h: Tensor) -> Tensor:
        if self.training:
            self.n += 1
        return h


LAYERS = {
    "dropout": lambda: nn.Dropout(0.5),
    "normalisation": lambda: nn.BatchNorm1d(4),
    "counter": Counter,
    "layer normalisation": lambda: nn.LayerNorm(4),
}


@pytest.fixture
def build(monkeypatch):
    """The function that builds a TeaNet with one more layer on its features."""
    monkeypatch.setattr(registry.REGISTRY, "entries", architectures())

    class Moving(architecture("teanet")):  # type: ignore[misc]
        """A TeaNet with one more layer."""

        def features(self, system: System) -> Tensor:
            return self.extra(super().features(system))

    registry.register("moving")(Moving)

    def build(layer: str) -> Potential:
        config = PotentialConfig(architecture="moving", settings=SETTINGS)
        potential = build_potential(config, ["Al", "Ni"], [Head(1.0, {"Al": 0.0, "Ni": 0.0})], TrainingData(20.0))
        potential.representation.extra = LAYERS[layer]()
        return potential

    return build


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("normalisation", r"'moving': representation.extra.running_mean, .* would change by itself during training"),
        ("counter", r"representation.extra.n would change by itself"),
        ("dropout", "gives other energies in training than in use"),
    ],
)
def test_layers_that_move(build, layer, message):
    with pytest.raises(ConfigError, match=message):
        check_still(build(layer))


def test_layers_that_stay(build):
    potential = build("layer normalisation").train()
    check_still(potential)
    assert potential.training


@pytest.mark.parametrize("name", ["teanet", "zbl", "schnet", "painn"])
def test_own_architectures(name):
    kind = architecture(name)
    config = PotentialConfig(architecture=name, settings=kind.example_settings)
    check_still(build_potential(config, ["Al"], [Head(1.0, {"Al": 0.0})], TrainingData(20.0)))
