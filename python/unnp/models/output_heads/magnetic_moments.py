"""Collinear magnetic moments of the atoms."""

import torch
from torch import Tensor, nn

from unnp.models.output_heads.base import OutputHead, register
from unnp.nn.heads import MLPHead
from unnp.nn.linear import SILU_GAIN


@register("magnetic_moments")
class MagneticMoments(OutputHead):
    """``m_i = m_0(element) + MLP(h_i) - MLP(h of an atom of this element without bonds)`` [mu_B], collinear.

    Energies do not see the moments, so the sign that the labels have is the sign that is learnt: give labels of one magnetic
    order, or their absolute values.
    """

    def __init__(self, n_features: int, n_elements: int) -> None:
        super().__init__()
        self.lone = nn.Parameter(torch.zeros(n_elements))
        self.network = MLPHead(n_features, n_features, nn.SiLU(), SILU_GAIN)

    def forward(self, features: Tensor, alone: Tensor, species: Tensor, bonded: Tensor) -> Tensor:
        moments: Tensor = self.lone.index_select(0, species) + self.network(features, alone, species, bonded)
        return moments
