"""Products of the vectors and symmetric tensors of an atom, channel by channel.

As in ``unnp.nn.bonds`` there is a plain form in PyTorch, which is the oracle and runs on any device, and a fused, twice
differentiable one for the CPU (``cpp/src/ops/products.cpp``).
"""

import torch
from torch import Tensor

from unnp.nn.fused import is_fused
from unnp.nn.tensors import applied, contraction, symmetric_dyad, symmetric_product, taming


def products(vectors: Tensor, tensors: Tensor, coupled: bool) -> Tensor:
    """Return the products of vectors ``v, w`` and tensors ``T, U``, which are the two halves of the channels.

    ``[v . w, T : U, T v . w, T U : U]``, and where they are coupled back ``T v``, ``(T U + U T) / 2`` and
    ``(v (x) w + w (x) v) / 2``. All of them are tamed, times ``(1 + |x|^2)^(-1/4)``: large ones grow as one factor does, not as
    two or three. To this end ``T v . w`` and ``T U : U`` contain ``T v`` and ``(T U + U T) / 2`` tamed.

    Args:
        vectors: (n, 3, 2 * channels).
        tensors: (n, 6, 2 * channels).
        coupled: whether vectors and tensors are returned, not only invariants.

    Returns:
        (n, 4 * channels), coupled (n, (4 + 3 + 6 + 6) * channels).
    """
    if is_fused(vectors):
        return torch.ops.unnp.products(vectors, tensors, coupled)
    return products_plain(vectors, tensors, coupled)


def products_plain(vectors: Tensor, tensors: Tensor, coupled: bool) -> Tensor:
    """Oracle of :func:`products`."""
    v, w = in_halves(vectors)
    t, u = in_halves(tensors)
    vector, tensor = applied(t, v), symmetric_product(t, u)
    vector = vector * taming(vector.square().sum(0))
    tensor = tensor * taming(contraction(tensor, tensor, 0))
    of_two = [(v * w).sum(0), contraction(t, u, 0)]
    of_three = [(vector * w).sum(0), contraction(tensor, u, 0)]
    invariants = torch.cat(of_two + of_three, dim=1)
    invariants = invariants * taming(invariants.square())
    if not coupled:
        return invariants
    dyad = symmetric_dyad(v, w)
    dyad = dyad * taming(contraction(dyad, dyad, 0))
    return torch.cat([invariants, torch.cat([vector, tensor, dyad]).transpose(0, 1).flatten(1)], dim=1)


def in_halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two halves of the channels of (n, components, channels), components first."""
    one, other = x.unflatten(2, (2, x.shape[2] // 2)).permute(2, 1, 0, 3).contiguous().unbind(0)
    return one, other
