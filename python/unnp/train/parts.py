"""Parts of a potential that learn at rates of their own; they have the same names for every architecture."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from unnp.errors import ConfigError
from unnp.models.growth import element_parameters
from unnp.models.potential import Potential
from unnp.train.config import TrainConfig


def part_rates(potential: Potential, config: TrainConfig) -> dict[str, float]:
    """Return the factor on the learning rate of each parameter by name; 0: it is frozen.

    The parts are ``elements`` (parameters of the representation with a row for each element), ``representation`` (its others,
    and those of further terms), ``energy_heads`` (times the factor of the head itself) and ``output_heads``.

    Raises:
        ConfigError: nothing is left to train.
    """
    rates = config.optimizer.rates
    of_elements = element_parameters(potential) if rates.elements != rates.representation else set()
    of_heads = [rates.energy_heads * head.rate for head in config.heads.values()]

    def rate(name: str) -> float:
        kind, number, *_ = name.split(".")
        if kind == "energy_heads":
            return of_heads[int(number)]
        if kind == "output_heads":
            return rates.output_heads
        return rates.elements if name in of_elements else rates.representation

    found = {name: rate(name) for name, _ in potential.named_parameters()}
    if not any(found.values()):
        raise ConfigError(
            "optimizer.rates: all parts have the rate 0, so nothing is trained; give one of them another."
        )
    return found


def trained_parameters(potential: nn.Module, rates: Mapping[str, float]) -> list[nn.Parameter]:
    """Return the parameters whose rate is not 0, with gradients of 0, and freeze the others.

    The gradients are there from the start: the message that adds them up has one length, also where a process has no batch.
    """
    for name, parameter in potential.named_parameters():
        parameter.requires_grad_(rates[name] > 0)
    trained = [parameter for parameter in potential.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.grad = torch.zeros_like(parameter)
    return trained
