"""Cutoff functions: from 1 at the atom to 0 at the cutoff, smooth enough for molecular dynamics."""

import torch
from torch import Tensor


def polynomial_cutoff(distance: Tensor, cutoff: float, p: int = 6) -> Tensor:
    """Return the polynomial envelope of Gasteiger et al., ICLR 2020 (arXiv:2003.03123), eq. 8.

    ``f(x) = 1 - (p+1)(p+2)/2 x^p + p(p+2) x^(p+1) - p(p+1)/2 x^(p+2)`` with ``x = r / cutoff``; f, f' and f'' vanish at the
    cutoff, and f is zero beyond it.

    Args:
        distance: (n_bonds,) [A].
        cutoff: [A].
        p: exponent, 3 or more; the larger, the longer f stays near 1.
    """
    x = torch.clamp(distance / cutoff, max=1.0)
    xp = x.pow(p)
    return 1.0 - xp * (0.5 * (p + 1) * (p + 2) - x * (p * (p + 2) - 0.5 * p * (p + 1) * x))
