"""Scalars of multipole moments: the power spectrum of each channel, and its products with the channel before.

As in ``unnp.nn.bonds`` there is a plain form in PyTorch, which is the oracle and runs on any device, and a fused, twice
differentiable one for the CPU (``cpp/src/ops/spectrum.cpp``).
"""

import torch
from torch import Tensor

from unnp.nn.fused import is_fused


def spectrum(moments: Tensor, sums: Tensor, first: int) -> Tensor:
    """Return ``sum_m M_clm M_dlm / sqrt(2 l + 1)``: first for ``d = c``, then for the channel d before c, cyclically.

    Args:
        moments: (n, channels, components), of all degrees l from ``first`` on.
        sums: (components, degrees), see :func:`sums_of_degrees`.
        first: lowest l.

    Returns:
        (n, 2 * channels * degrees).
    """
    if is_fused(moments):
        return torch.ops.unnp.spectrum(moments, first)
    return spectrum_plain(moments, sums, first)


def spectrum_plain(moments: Tensor, sums: Tensor, first: int) -> Tensor:
    """Oracle of :func:`spectrum`."""
    pairs = torch.cat([moments * moments, moments * moments.roll(1, 1)], dim=1)
    return torch.matmul(pairs, sums.to(pairs.dtype)).flatten(1)


def sums_of_degrees(lowest: int, highest: int) -> Tensor:
    """Return (components, degrees): ``1 / sqrt(2 l + 1)`` where a component is one of degree l, and 0 elsewhere."""
    widths = [2 * degree + 1 for degree in range(lowest, highest + 1)]
    return torch.block_diag(*(torch.full((width, 1), width**-0.5, dtype=torch.float64) for width in widths))
