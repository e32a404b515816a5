"""Functions of the angle between two edges.

They are polynomials in its cosine: the angle itself has no derivative at 0 and 180 degrees.
"""

import math

import torch
from torch import Tensor


def legendre_polynomials(cosine: Tensor, n_degrees: int) -> Tensor:
    """Return ``sqrt((2l + 1) / 4 pi) P_l(cosine)``, which is Y_l0, (n, n_degrees) for l = 0, 1, ... from cosines (n,)."""
    columns = [torch.ones_like(cosine), cosine]
    for degree in range(1, n_degrees - 1):
        following = (2.0 * degree + 1.0) * cosine * columns[degree] - degree * columns[degree - 1]
        columns.append(following / (degree + 1.0))
    scaled = [math.sqrt((2.0 * k + 1.0) / (4.0 * math.pi)) * columns[k] for k in range(n_degrees)]
    return torch.stack(scaled, dim=1)
