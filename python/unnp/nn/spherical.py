"""Real spherical harmonics of unit vectors, as polynomials in x, y and z.

``Y_lm = N_lm Q_l^|m|(z) A_m(x, y)`` with ``A_m = Re (x + iy)^m`` for m >= 0 and ``Im (x + iy)^|m|`` for m < 0, and
``Q_l^m = d^m P_l / dz^m`` of the Legendre polynomial: the usual angles are not needed, so that nothing is special at the poles.
No Condon-Shortley phase: l = 1 is (y, z, x).
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from unnp.nn.fused import is_fused
from unnp.nn.solid_harmonics import solid_harmonics

Normalization = Literal["integral", "component"]

MOST_FUSED = 12
"""highest degree of the fused operator"""
MOST_MONOMIALS = 8
"""highest degree of the sums of monomials, whose rounding grows with the degree"""


class SphericalHarmonics(nn.Module):
    """All real spherical harmonics of some degrees, ordered by l, then m = -l..l.

    Args:
        l_max: highest degree.
        normalization: ``integral``: orthonormal on the sphere, ``sum_m Y_lm^2 = (2l + 1) / 4 pi``; ``component``: the mean of a
            square over the sphere is 1, ``sum_m Y_lm^2 = 2l + 1``.
        l_min: lowest degree.
    """

    exponents: Tensor
    coefficients: Tensor

    def __init__(self, l_max: int, normalization: Normalization = "integral", l_min: int = 0) -> None:
        super().__init__()
        self.l_min, self.l_max, self.may_be_fused = l_min, l_max, l_max <= MOST_FUSED
        self.width = (l_max + 1) ** 2 - l_min**2
        self.unit = math.sqrt(1.0 / (4.0 * math.pi)) if normalization == "integral" else 1.0
        self.factors = [[_factor(degree, m) for m in range(degree + 1)] for degree in range(l_max + 1)]
        self.may_be_summed = l_max <= MOST_MONOMIALS
        exponents, coefficients = solid_harmonics(l_min, min(l_max, MOST_MONOMIALS))
        factors = [_factor(d, abs(m)) for d in range(l_min, min(l_max, MOST_MONOMIALS) + 1) for m in range(-d, d + 1)]
        self.register_buffer("exponents", exponents, persistent=False)
        self.register_buffer(
            "coefficients", self.unit * coefficients * torch.tensor(factors, dtype=torch.float64), persistent=False
        )

    def forward(self, unit: Tensor) -> Tensor:
        """Return (n, width) from unit vectors (n, 3).

        Derivatives are those of the polynomials above; behind a normalisation of the vectors only their part along the sphere
        matters.
        """
        if self.may_be_fused and is_fused(unit):
            return self.unit * torch.ops.unnp.harmonics(unit, self.l_min, self.l_max)
        if self.may_be_summed and unit.is_cuda:
            return self.summed(unit)
        return self.plain(unit)

    def summed(self, unit: Tensor) -> Tensor:
        """The same as sums of monomials: a matrix product in the place of hundreds of kernels, whose launches take longer than
        they do."""
        powers = [torch.ones_like(unit)]
        for _ in range(self.l_max):
            powers.append(powers[-1] * unit)
        x, y, z = torch.stack(powers, dim=2).unbind(1)
        monomials = x.index_select(1, self.exponents[0])
        monomials = monomials * y.index_select(1, self.exponents[1]) * z.index_select(1, self.exponents[2])
        return torch.matmul(monomials, self.coefficients.to(unit.dtype))

    def plain(self, unit: Tensor) -> Tensor:
        """Oracle of the fused operator."""
        x, y, z = unit[:, 0], unit[:, 1], unit[:, 2]
        columns: list[Tensor] = [z] * ((self.l_max + 1) * (self.l_max + 1))
        cosine, sine = torch.ones_like(x), torch.zeros_like(x)  # Re and Im of (x + iy)^m
        start = torch.ones_like(x)  # Q_m^m = (2m - 1)!!
        for m in range(self.l_max + 1):
            if m > 0:
                cosine, sine = cosine * x - sine * y, cosine * y + sine * x
                start = start * (2.0 * m - 1.0)
            previous, legendre = torch.zeros_like(x), start
            for degree in range(m, self.l_max + 1):
                scaled = self.unit * self.factors[degree][m] * legendre
                columns[degree * degree + degree + m] = scaled * cosine
                if m > 0:
                    columns[degree * degree + degree - m] = scaled * sine
                following = ((2.0 * degree + 1.0) * z * legendre - (degree + m) * previous) / (degree - m + 1.0)
                previous, legendre = legendre, following
        return torch.stack(columns[self.l_min * self.l_min :], dim=1)


def _factor(degree: int, m: int) -> float:
    """Return ``sqrt((2l + 1) (l - m)! / (l + m)!)``, times sqrt(2) for m > 0."""
    ratio = math.factorial(degree - m) / math.factorial(degree + m)
    return math.sqrt((2 * degree + 1) * ratio * (2 if m > 0 else 1))
