"""Radial functions of SOAP: overlaps of orthonormal Gaussian orbitals with an atom that is a Gaussian itself."""

import math

import numpy as np
from torch import Tensor, nn

from unnp.nn.chebyshev import ChebyshevSeries

CENTRE, LEFT = 1.0, 1e-3
"""the orbitals have fallen to LEFT at equal distances from CENTRE [A] to the cutoff"""


class GaussianOrbitals(nn.Module):
    """``R_nl(r)``, with which the density of a Gaussian atom at r has the coefficients ``R_nl(r) Y_lm(r)``.

    The orbitals are ``g_nl(s) = sum_k B_nkl s^l exp(-a_kl s^2)``, orthonormal with the weight s^2: ``B = S^(-1/2)`` with
    their overlaps S, and ``c_k^l exp(-a_kl c_k^2) = 10^-3`` at equal distances c_k from 1 A to the cutoff (Himanen et al.,
    Comput. Phys. Commun. 247, 106949 (2020)). The integral over an atom ``exp(-(s - r)^2 / 2 sigma^2)`` is closed:

    ``R_nl(r) = (2 pi sigma^2)^(3/2) sum_k B_nkl q_kl^(-l - 3/2) r^l exp(-a_kl r^2 / q_kl)``, ``q_kl = 1 + 2 sigma^2 a_kl``.

    The sum cancels to a thousandth, too much for float32, so that it is taken once in float64 and kept as a series.

    Args:
        n_max: number of orbitals of each degree.
        l_max: highest degree.
        cutoff: [A], more than 1.
        sigma: width of an atom [A].
    """

    def __init__(self, n_max: int, l_max: int, cutoff: float, sigma: float) -> None:
        super().__init__()
        self.shape = [l_max + 1, n_max]
        narrowest = math.sqrt(sigma**2 - 0.5 * CENTRE**2 / math.log(LEFT))
        order = 24 + math.ceil(2.4 * cutoff / narrowest)  # the error is some 1e-12
        degrees = range(l_max + 1)
        self.series = ChebyshevSeries(
            lambda r: np.concatenate([orbitals(degree, n_max, cutoff, sigma, r) for degree in degrees], axis=1),
            cutoff,
            order,
        )

    def forward(self, distance: Tensor) -> Tensor:
        """Return (n_bonds, l_max + 1, n_max) from distances (n_bonds,) [A] up to the cutoff."""
        return self.series(distance).unflatten(1, self.shape)


def digits_left(degree: int, n_max: int, cutoff: float) -> float:
    """Return the smallest eigenvalue of the orbitals' overlaps over the largest; near 1e-16 they cannot be told apart."""
    values = np.linalg.eigvalsh(_overlap(degree, _exponents(degree, n_max, cutoff)))
    return float(values[0] / values[-1])


def orbitals(degree: int, n_max: int, cutoff: float, sigma: float, r: np.ndarray) -> np.ndarray:
    """Return the functions of one degree at distances r (n,) [A], (n, n_max)."""
    exponent = _exponents(degree, n_max, cutoff)
    values, vectors = np.linalg.eigh(_overlap(degree, exponent))
    orthonormal = (vectors / np.sqrt(values)) @ vectors.T
    widened = 1.0 + 2.0 * sigma**2 * exponent
    shape = r[:, None] ** degree * np.exp(-np.multiply.outer(r**2, exponent / widened))
    return (2.0 * math.pi * sigma**2) ** 1.5 * (shape * widened ** -(degree + 1.5)) @ orthonormal


def _exponents(degree: int, n_max: int, cutoff: float) -> np.ndarray:
    where = np.linspace(CENTRE, cutoff, n_max)
    return (degree * np.log(where) - math.log(LEFT)) / where**2


def _overlap(degree: int, exponent: np.ndarray) -> np.ndarray:
    power = degree + 1.5
    return 0.5 * math.gamma(power) * np.add.outer(exponent, exponent) ** -power
