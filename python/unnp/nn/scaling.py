"""Constant factors that keep the size of features, measured once on training data."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Scaling(nn.Module):
    """``factor * x``: with the factor fitted, x is as large as what it was made from (arXiv:2106.08903, section 6).

    Args:
        of_sum: x is a sum over neighbours, whose size grows with the root of their number.
    """

    factor: Tensor

    def __init__(self, of_sum: bool = False) -> None:
        super().__init__()
        self.of_sum = of_sum
        self.register_buffer("factor", torch.ones(1))

    def forward(self, x: Tensor, like: Tensor) -> Tensor:
        """Return x (n, channels), scaled; of what it was made from, ``like``, only a fit takes notice."""
        return self.factor * x

    def fit(self, x: Tensor, like: Tensor) -> None:
        """Set the factor to ``rms(like) / rms(x)``; it stays where one of them is zero, or there are no rows."""
        ratio = (like.square().mean() / x.square().mean()).sqrt()
        if bool(ratio > 0) and bool(ratio.isfinite()):
            self.factor.fill_(float(ratio))


def fit_scalings(network: nn.Module, average_neighbors: float, run: Callable[[], object] | None = None) -> None:
    """Fit all factors of a network.

    Args:
        network: that holds them; each is used once.
        average_neighbors: mean number of neighbours, from which factors of sums are estimated.
        run: evaluates the network on data. Each factor is fitted when its turn comes, with those before it fitted already.
    """

    def fit(scaling: nn.Module, inputs: Any) -> None:
        assert isinstance(scaling, Scaling)
        scaling.fit(*inputs)

    scalings = [part for part in network.modules() if isinstance(part, Scaling)]
    for scaling in scalings:
        scaling.factor.fill_(average_neighbors**-0.5 if scaling.of_sum else 1.0)
    if run is None:
        return
    hooks = [scaling.register_forward_pre_hook(fit) for scaling in scalings]
    try:
        with torch.no_grad():
            run()
    finally:
        for hook in hooks:
            hook.remove()
