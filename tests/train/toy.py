"""A tiny architecture for tests of the training: fast, smooth, with two layers of one shape that can be tied."""

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import silu
from unnp.models import ArchitectureConfig, Representation, register
from unnp.nn.system import System


class ToyConfig(ArchitectureConfig):
    """Settings of the toy."""

    width: int = Field(default=6, ge=1)
    """channels"""
    longest: float = 4.0
    """cutoff [A]"""

    @property
    def cutoff(self) -> float:
        return self.longest


@register("toy")
class Toy(Representation):
    """Sums of Gaussians of the distance, and two layers on them."""

    Config = ToyConfig
    references: ClassVar[list[str]] = ["nobody"]

    def __init__(self, config: ToyConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.n_features = width = config.width
        self.embedding = nn.Embedding(len(elements), width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.register_buffer("centres", torch.linspace(1.0, config.longest, width), persistent=False)

    def tied_parameters(self) -> list[list[nn.Parameter]]:
        first, second = self.layers
        return [[first.weight, second.weight], [first.bias, second.bias]]

    def features(self, system: System) -> Tensor:
        d = system.bond_vector.norm(dim=1, keepdim=True)
        f = (1.0 - (d / self.config.longest) ** 2).clamp(min=0.0) ** 3
        h = self.embedding(system.species)
        i, j = system.bond_index[0], system.bond_index[1]
        message = silu(self.layers[0](torch.exp(-((d - self.centres) ** 2)) * h[i] * h[j])) * f
        density = torch.zeros_like(h).index_add(0, i, message).index_add(0, j, message)
        return silu(self.layers[1](h + density))
