"""Cartesian tensor features of atoms: norms.

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
    squared = tensors.square()
    return smooth_norm(squared.sum(1) + squared[:, 3:].sum(1))
