"""Linear maps over channels, started so that features keep their variance."""

import torch
from torch import nn

SILU_GAIN = 1.679
"""1 / rms of silu(x) for x ~ N(0, 1): a linear map behind a SiLU takes this gain"""


def linear(n_in: int, n_out: int, bias: bool = True, gain: float = 1.0, centered: bool = False) -> nn.Linear:
    """Return a linear map with weights ~ N(0, gain^2 / n_in) and zero bias.

    Centered weights of an output have the mean 0: activations have a mean above 0, which would grow from layer to layer.
    """
    layer = nn.Linear(n_in, n_out, bias=bias)
    with torch.no_grad():
        layer.weight.normal_(0.0, gain * n_in**-0.5)
        if centered:
            layer.weight.sub_(layer.weight.mean(1, keepdim=True))
        if bias:
            layer.bias.zero_()
    return layer
