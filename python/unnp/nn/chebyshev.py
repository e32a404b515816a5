"""Smooth functions of a distance as Chebyshev series: exact to rounding, one matrix product for all of them."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.polynomial import chebyshev
from torch import Tensor, nn


class ChebyshevSeries(nn.Module):
    """``b_k(r) = sum_n C_nk T_n(2 r / cutoff - 1)``, for functions that have no closed form without loss of digits.

    Args:
        functions: from distances (n,) [A] to values (n, n_functions), smooth from 0 to the cutoff.
        cutoff: [A].
        order: highest power; the error is of the size of the last coefficients.
    """

    coefficients: Tensor

    def __init__(self, functions: Callable[[np.ndarray], np.ndarray], cutoff: float, order: int) -> None:
        super().__init__()
        self.cutoff, self.n_terms = cutoff, order + 1
        nodes = chebyshev.chebpts1(order + 1)
        projection = chebyshev.chebvander(nodes, order) * (2.0 / (order + 1))
        projection[:, 0] *= 0.5
        series = projection.T @ functions(0.5 * cutoff * (nodes + 1.0))
        self.register_buffer("coefficients", torch.tensor(series.tolist()), persistent=False)

    def forward(self, distance: Tensor) -> Tensor:
        """Return (n_bonds, n_functions) from distances (n_bonds,) [A] up to the cutoff."""
        t = distance * (2.0 / self.cutoff) - 1.0
        terms = [torch.ones_like(t), t]
        for k in range(2, self.n_terms):
            terms.append(2.0 * t * terms[k - 1] - terms[k - 2])
        return torch.matmul(torch.stack(terms, dim=1), self.coefficients)
