"""Parts of a potential learn at rates of their own, or not at all."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from unnp.errors import ConfigError
from unnp.models import Head, Potential, Representation, architectures, potential_from_description
from unnp.models.checkpoint import load_potential
from unnp.models.growth import HEADS, element_parameters
from unnp.train.building import build
from unnp.train.config import TrainConfig
from unnp.train.datasets import open_sources
from unnp.train.parts import part_rates
from unnp.train.run import train

Configuration = Callable[..., TrainConfig]
REPRESENTATIONS = sorted(
    name
    for name, kind in architectures().items()
    if issubclass(kind, Representation) and kind.__module__.startswith("unnp.")
)
FAST = {"learning_rate": 0.01, "warmup_steps": 2}


def start_of(config: TrainConfig) -> dict[str, torch.Tensor]:
    torch.manual_seed(config.seed)
    potential, _ = build(config, open_sources(config.data, seed=0))
    return {name: parameter.detach().clone() for name, parameter in potential.named_parameters()}


@pytest.mark.parametrize("kind", ["soap", "adamw"])
@pytest.mark.parametrize("part", ["elements", "representation", "energy_heads"])
def test_what_is_frozen_stays_to_the_bit_and_all_else_moves(
    part: str, kind: str, configuration: Configuration, tmp_path: Path
) -> None:
    config = configuration(optimizer={**FAST, "kind": kind, "rates": {part: 0}})
    before = start_of(config)
    train(config, tmp_path / "run")
    for weights in ("raw", "average"):
        potential, _ = load_potential(tmp_path / "run", weights)
        rates = part_rates(potential, config)
        assert {rate == 0 for rate in rates.values()} == {True, False}
        for name, parameter in potential.named_parameters():
            assert torch.equal(parameter, before[name]) == (rates[name] == 0), name


def test_a_rate_is_a_factor_on_how_far_a_part_moves(configuration: Configuration, tmp_path: Path) -> None:
    """The first step of Adam is as long as the rate."""
    moved = {}
    for rate in (1.0, 0.1):
        optimizer = {
            **FAST,
            "kind": "adamw",
            "weight_decay": 0.0,
            "average_decay": 0,
            "rates": {"representation": rate},
        }
        config = configuration(optimizer=optimizer, batch_size=8, epochs=1)
        before = start_of(config)
        train(config, tmp_path / f"run-{rate}")
        after = dict(load_potential(tmp_path / f"run-{rate}", "raw")[0].named_parameters())
        moved[rate] = {name: (after[name] - before[name]).abs().max().item() for name in before}
    for name, most in moved[1.0].items():
        slow = name.startswith("representation.layers")
        assert moved[0.1][name] == pytest.approx(most * (0.1 if slow else 1.0), rel=1e-3), name


def test_one_head_of_two_is_frozen(configuration: Configuration, tmp_path: Path) -> None:
    config = configuration(heads={"coarse": {"groups": ["few"], "rate": 0}, "fine": {}})
    before = start_of(config)
    train(config, tmp_path / "run")
    after = dict(load_potential(tmp_path / "run", "raw")[0].named_parameters())
    still = {name for name in after if torch.equal(after[name], before[name])}
    assert still == {name for name in after if name.startswith(f"{HEADS}0.")}


def test_a_frozen_part_is_resumed_exactly(configuration: Configuration, tmp_path: Path) -> None:
    settings = {"optimizer": {**FAST, "final_learning_rate": 0.01, "rates": {"elements": 0, "energy_heads": 0.5}}}
    for name, stops in (("once", [3]), ("twice", [1, 3])):
        for k, epochs in enumerate(stops):
            train(configuration(**settings, epochs=epochs), tmp_path / name, resume=k > 0)
    once, twice = (load_potential(tmp_path / name)[0].state_dict() for name in ("once", "twice"))
    assert all(torch.equal(tensor, twice[name]) for name, tensor in once.items())


def test_nothing_left_to_train_is_refused(configuration: Configuration, tmp_path: Path) -> None:
    rates = dict.fromkeys(["elements", "representation", "energy_heads"], 0)
    with pytest.raises(ConfigError, match="all parts have the rate 0"):
        train(configuration(optimizer={"rates": rates}), tmp_path / "run")


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_every_architecture_has_the_parts(name: str) -> None:
    """Weights of elements are there, fewer than all, and the same whatever the random numbers are."""
    kind = architectures()[name]
    heads = [Head(1.0, {"Al": 0.0, "Cu": 0.0}).describe()]
    description = {"architecture": name, "settings": kind.example_settings, "add": {}, "elements": ["Al", "Cu"]}
    state = torch.get_rng_state()
    potential: Potential = potential_from_description({**description, "heads": heads, "outputs": [], "closest": []})
    after = torch.get_rng_state()
    found = element_parameters(potential)
    assert torch.equal(after, torch.get_rng_state())
    assert not torch.equal(after, state)
    of_representation = {n for n, _ in potential.named_parameters() if n.startswith("representation.")}
    assert found
    assert found < of_representation
