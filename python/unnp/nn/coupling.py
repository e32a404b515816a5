"""Products of spherical tensors: Clebsch-Gordan coefficients for the real harmonics of ``unnp.nn.spherical``."""

from math import factorial, sqrt

import numpy as np


def couples(l1: int, l2: int, l3: int) -> bool:
    """Return whether a product of degrees l1 and l2 has a part of degree l3: ``|l1 - l2| <= l3 <= l1 + l2``."""
    return abs(l1 - l2) <= l3 <= l1 + l2


def clebsch_gordan(l1: int, l2: int, l3: int) -> np.ndarray:
    """Return C (2 l1 + 1, 2 l2 + 1, 2 l3 + 1), with which ``c_k = sum_ij C_ijk a_i b_j`` turns as harmonics of degree l3 do.

    Orthonormal: ``sum_ij C_ijk C_ijn = delta_kn``. Where l1 + l2 + l3 is odd, c changes sign with the order of a and b, as in a
    cross product. Racah's sum for complex harmonics, taken over to real ones.

    Args:
        l1: degree of a.
        l2: degree of b.
        l3: degree of c.

    Raises:
        ValueError: the degrees do not couple.
    """
    if not couples(l1, l2, l3):
        raise ValueError(f"degrees {l1} and {l2} have no product of degree {l3}: it is {abs(l1 - l2)} to {l1 + l2}.")
    u1, u2, u3 = _real_from_complex(l1), _real_from_complex(l2), _real_from_complex(l3)
    real = np.einsum("ia,jb,kc,abc->ijk", u1.conj(), u2.conj(), u3, _complex_coefficients(l1, l2, l3))
    return np.ascontiguousarray(real.imag if (l1 + l2 + l3) % 2 else real.real)


def _real_from_complex(degree: int) -> np.ndarray:
    """Return U with ``real = U complex``; complex harmonics with the Condon-Shortley phase, real ones without it."""
    u = np.zeros((2 * degree + 1, 2 * degree + 1), dtype=complex)
    u[degree, degree] = 1
    for m in range(1, degree + 1):
        plus, minus = degree + m, degree - m
        u[plus, [plus, minus]] = [(-1) ** m / sqrt(2), 1 / sqrt(2)]
        u[minus, [plus, minus]] = [-1j * (-1) ** m / sqrt(2), 1j / sqrt(2)]
    return u


def _complex_coefficients(l1: int, l2: int, l3: int) -> np.ndarray:
    """Return ``<l1 m1 l2 m2 | l3 m3>`` for all m."""
    coefficients = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1))
    for m1 in range(-l1, l1 + 1):
        for m2 in range(-l2, l2 + 1):
            if abs(m1 + m2) <= l3:
                coefficients[l1 + m1, l2 + m2, l3 + m1 + m2] = _racah(l1, m1, l2, m2, l3)
    return coefficients


def _racah(l1: int, m1: int, l2: int, m2: int, l3: int) -> float:
    """Return ``<l1 m1 l2 m2 | l3 m1 + m2>`` by the formula of Racah (Phys. Rev. 62, 438 (1942), eq. 16)."""
    m3 = m1 + m2
    total = 0.0
    for k in range(max(0, l2 - l3 - m1, l1 - l3 + m2), min(l1 + l2 - l3, l1 - m1, l2 + m2) + 1):
        below = [k, l1 + l2 - l3 - k, l1 - m1 - k, l2 + m2 - k, l3 - l2 + m1 + k, l3 - l1 - m2 + k]
        total += (-1) ** k / _product(below)
    triangle = _product([l3 + l1 - l2, l3 - l1 + l2, l1 + l2 - l3]) / factorial(l1 + l2 + l3 + 1)
    return total * sqrt((2 * l3 + 1) * triangle * _product([l1 + m1, l1 - m1, l2 + m2, l2 - m2, l3 + m3, l3 - m3]))


def _product(numbers: list[int]) -> int:
    """Return the product of the factorials."""
    product = 1
    for n in numbers:
        product *= factorial(n)
    return product
