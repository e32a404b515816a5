"""Charges of the atoms."""

from torch import Tensor, nn

from unnp.models.output_heads.base import OutputHead, register
from unnp.nn.heads import MLPHead
from unnp.nn.linear import SILU_GAIN


@register("charges")
class Charges(OutputHead):
    """``q_i = MLP(h_i) - MLP(h of an atom of this element without bonds)`` [e], exactly 0 for an atom without bonds.

    Nothing makes the charges of a structure add up to its total charge, but that the labels do.
    """

    def __init__(self, n_features: int, n_elements: int) -> None:
        super().__init__()
        self.network = MLPHead(n_features, n_features, nn.SiLU(), SILU_GAIN)

    def forward(self, features: Tensor, alone: Tensor, species: Tensor, bonded: Tensor) -> Tensor:
        charges: Tensor = self.network(features, alone, species, bonded)
        return charges
