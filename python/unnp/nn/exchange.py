"""Seeing the neighbours' features across sub-domains."""

import torch
from torch import Tensor

from unnp.core import core


def exchange(h_owned: Tensor, n_all: int, halo: int) -> Tensor:
    """Return features of updated atoms and ghosts, (n_all, width), from those of the updated atoms, (n_updated, width).

    Rows ``n_updated..n_all`` are fetched from the ghosts' owners; backward adds their gradients onto the owners. Every rank has
    to call it equally often. ``halo == 0`` means there are no ghosts.
    """
    if halo == 0:
        return h_owned
    if not torch.jit.is_scripting():
        core()  # registers the operator, or says what is missing
    return torch.ops.unnp.exchange(h_owned, n_all, halo)
