"""Cutoff functions: from 1 at the atom to 0 at the cutoff, smooth enough for molecular dynamics."""

import math
from typing import Final, Literal

import torch
from torch import Tensor, nn

from unnp.nn.fused import is_fused

CutoffKind = Literal["polynomial", "cosine"]


def polynomial_cutoff(distance: Tensor, cutoff: float, p: int = 6) -> Tensor:
    """Return the polynomial envelope of Gasteiger et al., ICLR 2020 (arXiv:2003.03123), eq. 8.

    ``f(x) = 1 - (p+1)(p+2)/2 x^p + p(p+2) x^(p+1) - p(p+1)/2 x^(p+2)`` with ``x = r / cutoff``; f, f' and f'' vanish at the
    cutoff, and f is zero beyond it.

    Args:
        distance: (n_bonds,) [A].
        cutoff: [A].
        p: exponent, 3 or more; the larger, the longer f stays near 1.
    """
    if is_fused(distance):
        return torch.ops.unnp.envelope(distance / cutoff, p)
    return polynomial_cutoff_plain(distance, cutoff, p)


def polynomial_cutoff_plain(distance: Tensor, cutoff: float, p: int = 6) -> Tensor:
    """Oracle of the fused operator (``cpp/src/ops/envelope.cpp``)."""
    x = torch.clamp(distance / cutoff, max=1.0)
    xp = x.pow(p)
    return 1.0 - xp * (0.5 * (p + 1) * (p + 2) - x * (p * (p + 2) - 0.5 * p * (p + 1) * x))


def half_cosine_cutoff(distance: Tensor, cutoff: float) -> Tensor:
    """Return ``(1 + cos(pi r / cutoff)) / 2``, zero beyond the cutoff (Behler, J. Chem. Phys. 134, 074106 (2011), eq. 4).

    Its second derivative jumps at the cutoff, by ``pi^2 / (2 cutoff^2)``: for comparison with published networks, not for
    molecular dynamics.

    Args:
        distance: (n_bonds,) [A].
        cutoff: [A].
    """
    return 0.5 + 0.5 * torch.cos(math.pi * torch.clamp(distance / cutoff, max=1.0))


class CutoffFunction(nn.Module):
    """The cutoff function that the settings of a network name.

    Args:
        kind: ``polynomial`` or ``cosine``.
        cutoff: [A].
        exponent: the polynomial's exponent.
    """

    cosine: Final[bool]

    def __init__(self, kind: CutoffKind, cutoff: float, exponent: int) -> None:
        super().__init__()
        self.cosine = kind == "cosine"
        self.cutoff, self.exponent = cutoff, exponent

    def forward(self, distance: Tensor) -> Tensor:
        """Return (n_bonds,) from distances (n_bonds,) [A]."""
        if self.cosine:
            return half_cosine_cutoff(distance, self.cutoff)
        return polynomial_cutoff(distance, self.cutoff, self.exponent)
