"""Cartesian tensor features of atoms: norms and products.

Vectors are stored as (n, 3, channels), symmetric rank-2 tensors as (n, 6, channels) in the order xx, yy, zz, yz, xz, xy: the
diagonal, and then what stands beside it, at the place of the axis it lacks. Products take and return components first,
(3, n, channels) and (6, n, channels), where one component of all atoms lies together in memory: half of the time.
"""

import torch
from torch import Tensor

from unnp.nn.fused import is_fused


def smooth_norm(squared: Tensor, epsilon: float = 0.1) -> Tensor:
    """Return ``sqrt(x^2 + eps^2) - eps``: a norm without the cusp at zero."""
    return torch.sqrt(squared + epsilon * epsilon) - epsilon


def norms(vectors: Tensor, tensors: Tensor) -> Tensor:
    """Return the smooth norms of vectors (n, 3, v), then the smooth Frobenius norms of tensors (n, 6, t): (n, v + t).

    There is a plain form, the oracle, and a fused one for the CPU (``cpp/src/ops/norms.cpp``).
    """
    if is_fused(vectors):
        return torch.ops.unnp.norms(vectors, tensors)
    return norms_plain(vectors, tensors)


def norms_plain(vectors: Tensor, tensors: Tensor) -> Tensor:
    """Oracle of :func:`norms`."""
    return smooth_norm(torch.cat([vectors.square().sum(1), contraction(tensors, tensors)], dim=1))


def contraction(t: Tensor, u: Tensor, dim: int = 1) -> Tensor:
    """Return ``T : U`` (n, channels) of symmetric tensors, whose components are along ``dim``."""
    diagonal, beside = (t * u).unflatten(dim, (2, 3)).sum(dim + 1).unbind(dim)
    return torch.add(diagonal, beside, alpha=2.0)


def applied(t: Tensor, v: Tensor) -> Tensor:
    """Return ``T v`` (3, n, channels) of symmetric tensors (6, n, channels) and vectors (3, n, channels)."""
    diagonal, beside = torch.split(t, 3)
    return diagonal * v + crossed(beside, v, beside * v)


def symmetric_dyad(v: Tensor, w: Tensor) -> Tensor:
    """Return ``(v (x) w + w (x) v) / 2`` (6, n, channels) of vectors (3, n, channels)."""
    diagonal = v * w
    return torch.cat([diagonal, 0.5 * crossed(v, w, diagonal)])


def symmetric_product(t: Tensor, u: Tensor) -> Tensor:
    """Return ``(T U + U T) / 2`` (6, n, channels) of symmetric tensors (6, n, channels)."""
    t_diagonal, t_beside = torch.split(t, 3)
    u_diagonal, u_beside = torch.split(u, 3)
    both = t_beside * u_beside
    diagonal = t_diagonal * u_diagonal + others(both)
    mixed = t_beside * others(u_diagonal) + u_beside * others(t_diagonal)
    return torch.cat([diagonal, 0.5 * (mixed + crossed(t_beside, u_beside, both))])


def others(x: Tensor) -> Tensor:
    """Return ``x_b + x_c`` (3, n, channels) in the place of each component ``x_a``; a, b, c are the three axes."""
    return x.sum(0, keepdim=True) - x


def crossed(x: Tensor, y: Tensor, xy: Tensor) -> Tensor:
    """Return ``x_b y_c + x_c y_b`` (3, n, channels), given ``x_a y_a`` too; yz, xz and xy stand in the places of x, y and z."""
    return others(x) * others(y) - others(xy)


def taming(squared: Tensor) -> Tensor:
    """Return ``(1 + x^2)^(-1/4)``: times it, products of two factors grow for large ones as one factor does."""
    return torch.rsqrt(torch.sqrt(1.0 + squared))
