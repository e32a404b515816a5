"""Cartesian tensor features of atoms: norms and products.

Vectors are stored as (n, 3, channels), symmetric rank-2 tensors as (n, 6, channels) in the order xx, yy, zz, yz, xz, xy.
"""

import torch
from torch import Tensor


def smooth_norm(squared: Tensor, epsilon: float = 0.1) -> Tensor:
    """Return ``sqrt(x^2 + eps^2) - eps``: a norm without the cusp at zero."""
    return torch.sqrt(squared + epsilon * epsilon) - epsilon


def vector_norm(vectors: Tensor) -> Tensor:
    """Return the smooth norms (n, channels) of vectors (n, 3, channels)."""
    return smooth_norm(vectors.square().sum(1))


def tensor_norm(tensors: Tensor) -> Tensor:
    """Return the smooth Frobenius norms (n, channels) of symmetric tensors (n, 6, channels)."""
    return smooth_norm(contraction(tensors, tensors))


def contraction(t: Tensor, u: Tensor) -> Tensor:
    """Return ``T : U`` (n, channels) of symmetric tensors (n, 6, channels)."""
    diagonal, beside = torch.split(t * u, 3, dim=1)
    return diagonal.sum(1) + 2.0 * beside.sum(1)


def applied(t: Tensor, v: Tensor) -> Tensor:
    """Return ``T v`` (n, 3, channels) of symmetric tensors (n, 6, channels) and vectors (n, 3, channels)."""
    diagonal, beside = torch.split(t, 3, dim=1)
    return diagonal * v + crossed(beside, v)


def symmetric_dyad(v: Tensor, w: Tensor) -> Tensor:
    """Return ``(v (x) w + w (x) v) / 2`` (n, 6, channels) of vectors (n, 3, channels)."""
    return torch.cat([v * w, 0.5 * crossed(v, w)], dim=1)


def symmetric_product(t: Tensor, u: Tensor) -> Tensor:
    """Return ``(T U + U T) / 2`` (n, 6, channels) of symmetric tensors (n, 6, channels)."""
    t_d, t_o = torch.split(t, 3, dim=1)
    u_d, u_o = torch.split(u, 3, dim=1)
    diagonal = t_d * u_d + others(t_o * u_o)
    beside = crossed(t_o, u_o) + t_o * others(u_d) + u_o * others(t_d)
    return torch.cat([diagonal, 0.5 * beside], dim=1)


def crossed(x: Tensor, y: Tensor) -> Tensor:
    """Return ``x_b y_c + x_c y_b`` (n, 3, channels) for each a, with a, b, c the three axes; yz, xz, xy stand at x, y, z."""
    return x.roll(1, 1) * y.roll(2, 1) + x.roll(2, 1) * y.roll(1, 1)


def others(x: Tensor) -> Tensor:
    """Return ``x_b + x_c`` (n, 3, channels) for each a, with a, b, c the three axes."""
    return x.roll(1, 1) + x.roll(2, 1)


def taming(squared: Tensor) -> Tensor:
    """Return ``(1 + x^2)^(-1/4)``: times it, products of two factors grow for large ones as one factor does."""
    return torch.rsqrt(torch.sqrt(1.0 + squared))
