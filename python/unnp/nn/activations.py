"""Activations that PyTorch does not have."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import silu, softplus

SOFTPLUS_GAIN = 1.876
"""1 / rms of ssp(x) for x ~ N(0, 1): a linear map behind a shifted softplus takes this gain"""

CELU_GAIN = 1.408
"""the same for CELU(x)"""


class ShiftedSoftplus(nn.Module):
    """``ssp(x) = ln((1 + exp(x)) / 2)``: infinitely smooth, 0 at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = math.log(2.0)

    def forward(self, x: Tensor) -> Tensor:
        # from the threshold on it is x: at 40 exact in float64, at PyTorch's 20 a step of 2e-9
        return softplus(x, threshold=40.0) - self.shift


class ScaledSiLU(nn.Module):
    """``silu(x) / 0.6``, which keeps the variance of a normally distributed x (arXiv:2106.08903)."""

    def forward(self, x: Tensor) -> Tensor:
        return silu(x) * (1.0 / 0.6)


class CELU(nn.Module):
    """``max(0, x) + min(0, a (exp(x / a) - 1))``, a = 0.1 (arXiv:1704.07483).

    Its second derivative jumps at 0, by 1 / a: for comparison with published networks, not for molecular dynamics.
    """

    def forward(self, x: Tensor) -> Tensor:
        return torch.celu(x, 0.1)
