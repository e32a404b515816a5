"""Messages: sums over neighbours of products of features and functions of the distance, twice."""

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import silu
from unnp.models import ArchitectureConfig, Representation, register
from unnp.nn import SincBasis, System, exchange, polynomial_cutoff


class MessagesConfig(ArchitectureConfig):
    """Settings of the network."""

    cutoff: float = Field(default=5.0, gt=0)
    """longest bond [A]"""
    width: int = Field(default=32, ge=1)
    """features of an atom"""
    average_neighbors: float | None = Field(default=None, gt=0)
    """neighbours per atom, to normalise sums; null: taken from the training data"""

    @property
    def receptive_field(self) -> float:
        return 2 * self.cutoff


@register("messages")
class Messages(Representation):
    """Two layers of messages that depend on the distance alone."""

    Config = MessagesConfig
    references: ClassVar[list[str]] = []
    example_settings: ClassVar[dict[str, object]] = {"cutoff": 4.0, "width": 8}

    def __init__(self, config: MessagesConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.n_features = config.width
        self.longest = config.cutoff
        self.norm = (config.average_neighbors or 1.0) ** -0.5
        self.embedding = nn.Embedding(len(elements), config.width)
        self.radial = SincBasis(8, config.cutoff)
        self.filters = nn.ModuleList(nn.Linear(8, config.width, bias=False) for _ in range(2))
        self.updates = nn.ModuleList(nn.Linear(config.width, config.width) for _ in range(2))

    def features(self, system: System) -> Tensor:
        distance = torch.sqrt(system.bond_vector.square().sum(1))
        basis = self.radial(distance) * polynomial_cutoff(distance, self.longest).unsqueeze(1)
        i, j = system.bond_index[0], system.bond_index[1]
        h = self.embedding(system.species)
        for k, (radial, update) in enumerate(zip(self.filters, self.updates)):  # noqa: B905 - TorchScript knows no `strict`
            if k > 0:
                h = exchange(h, system.species.shape[0], system.halo)
            weight = radial(basis)
            total = torch.zeros_like(h)
            total = total.index_add(0, i, weight * h.index_select(0, j))
            total = total.index_add(0, j, weight * h.index_select(0, i))
            h = (h + silu(update(self.norm * total)))[: system.n_updated]
        return h
