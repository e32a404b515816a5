"""Spherical Bessel functions of a distance, as polynomials that are exact to rounding.

The usual recurrences lose all digits near the atom. Each function is entire, and a Chebyshev series of it converges
to rounding after some 40 terms, so that all functions and their derivatives are one matrix product away from the polynomials.
"""

import math

import numpy as np
from numpy.polynomial import legendre
from torch import Tensor, nn

from unnp.nn.chebyshev import ChebyshevSeries


class SphericalBesselBasis(nn.Module):
    """``b_ln(r) = sqrt(2) j_l(z_ln x) / |j_l+1(z_ln)|`` with ``x = r / cutoff`` and z_ln the n-th zero of j_l.

    Orthonormal on the unit interval with the weight x^2 (arXiv:2003.03123, eq. 6, there in units of cutoff^-3/2).
    All functions are zero at the cutoff, with a slope.

    Args:
        n_degrees: number of degrees l = 0, 1, ...
        n_functions: number of functions of each degree.
        cutoff: [A].
    """

    def __init__(self, n_degrees: int, n_functions: int, cutoff: float) -> None:
        super().__init__()
        self.shape = [n_degrees, n_functions]
        zeros = spherical_bessel_zeros(n_degrees, n_functions)
        order = 26 + math.ceil(0.7 * zeros.max())
        self.series = ChebyshevSeries(lambda r: _values(zeros, r / cutoff), cutoff, order)

    def forward(self, distance: Tensor) -> Tensor:
        """Return (n_bonds, n_degrees, n_functions) from distances (n_bonds,) [A] up to the cutoff."""
        return self.series(distance).unflatten(1, self.shape)


def spherical_bessel(degree: int, x: np.ndarray) -> np.ndarray:
    """Return j_l(x), (...), to about 1e-15: ``j_l(x) = (-i)^l / 2 int_-1^1 exp(ixt) P_l(t) dt`` (DLMF 10.54.2)."""
    x = np.asarray(x, dtype=float)
    t, weights = legendre.leggauss(40 + int(np.abs(x).max(initial=0.0)))
    wave = np.cos(np.multiply.outer(x, t)) if degree % 2 == 0 else np.sin(np.multiply.outer(x, t))
    return 0.5 * (-1) ** (degree // 2) * wave @ (weights * legendre.legval(t, np.eye(degree + 1)[degree]))


def spherical_bessel_zeros(n_degrees: int, n_zeros: int) -> np.ndarray:
    """Return the first positive zeros of j_0, j_1, ..., (n_degrees, n_zeros).

    Between two neighbouring zeros of j_l lies exactly one of j_l+1 (DLMF 10.21(i)), which bisection finds.
    """
    row = math.pi * np.arange(1, n_zeros + n_degrees)
    rows = [row]
    for degree in range(1, n_degrees):
        low, high = row[:-1], row[1:]
        sign = np.sign(spherical_bessel(degree, low))
        for _ in range(60):
            middle = 0.5 * (low + high)
            before = np.sign(spherical_bessel(degree, middle)) == sign
            low, high = np.where(before, middle, low), np.where(before, high, middle)
        row = 0.5 * (low + high)
        rows.append(row)
    return np.stack([row[:n_zeros] for row in rows])


def _values(zeros: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the basis at x = r / cutoff (n,), (n, n_degrees * n_functions)."""
    columns = []
    for degree, z in enumerate(zeros):
        norm = math.sqrt(2.0) / np.abs(spherical_bessel(degree + 1, z))
        columns.append(spherical_bessel(degree, np.multiply.outer(x, z)) * norm)
    return np.concatenate(columns, axis=1)
