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


class GaussianBasis(nn.Module):
    """``b_k(r) = exp(-(r - k w)^2 / (2 w^2))``, k = 0..n_functions - 1, ``w = cutoff / (n_functions - 1)`` (SchNet).

    Not zero at the cutoff: it needs a cutoff function.

    Args:
        n_functions: number of functions, 2 or more.
        cutoff: [A], centre of the last one.
    """

    centres: Tensor

    def __init__(self, n_functions: int, cutoff: float) -> None:
        super().__init__()
        self.width = cutoff / (n_functions - 1)
        # in units of the width they are whole numbers, exact in every number type
        self.register_buffer("centres", torch.arange(n_functions).to(torch.get_default_dtype()), persistent=False)

    def forward(self, distance: Tensor) -> Tensor:
        """Return (n_bonds, n_functions) from distances (n_bonds,) [A]."""
        return torch.exp(-0.5 * (distance.unsqueeze(1) / self.width - self.centres).square())
