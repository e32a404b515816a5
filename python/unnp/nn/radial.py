"""Radial bases: a distance as a vector of numbers."""

import math

import torch
from torch import Tensor, nn


class SincBasis(nn.Module):
    """``b_n(r) = sqrt(2 / cutoff) sin(n pi r / cutoff) / r``, n = 1..n_functions (arXiv:2003.03123, eq. 7).

    Args:
        n_functions: number of functions.
        cutoff: [A].
    """

    frequencies: Tensor

    def __init__(self, n_functions: int, cutoff: float) -> None:
        super().__init__()
        self.scale = math.sqrt(2.0 / cutoff)
        self.register_buffer("frequencies", torch.arange(1, n_functions + 1) * (math.pi / cutoff), persistent=False)

    def forward(self, distance: Tensor) -> Tensor:
        """Return (n_bonds, n_functions) from distances (n_bonds,) [A]."""
        r = distance.unsqueeze(1)
        return torch.sin(self.frequencies * r) * (self.scale / r)
