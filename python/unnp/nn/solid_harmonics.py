"""Real solid harmonics as sums of monomials ``x^a y^b z^c``, a + b + c = l."""

from collections import defaultdict
from collections.abc import Mapping

import torch
from torch import Tensor

Exponents = tuple[int, int, int]
Polynomial = Mapping[Exponents, float]

X: Polynomial = {(1, 0, 0): 1.0}
Y: Polynomial = {(0, 1, 0): 1.0}
Z: Polynomial = {(0, 0, 1): 1.0}
SQUARE: Polynomial = {(2, 0, 0): 1.0, (0, 2, 0): 1.0, (0, 0, 2): 1.0}


def solid_harmonics(l_min: int, l_max: int) -> tuple[Tensor, Tensor]:
    """Return the monomials of all degrees and their coefficients in the harmonics, which are not normalised.

    ``r^l Q_l^|m|(z / r) A_m(x, y)`` in the notation of :mod:`unnp.nn.spherical`, by the recursion
    ``(l - m + 1) P_(l+1) = (2 l + 1) z P_l - (l + m) r^2 P_(l-1)`` from ``P_m = (2 m - 1)!!``.

    Returns:
        exponents (3, n_monomials), int64, of x, y and z; coefficients (n_monomials, n_harmonics), harmonics by l, then m.
    """
    harmonics: dict[tuple[int, int], Polynomial] = {}
    cosine, sine, start = {(0, 0, 0): 1.0}, dict[Exponents, float](), 1.0
    for m in range(l_max + 1):
        if m > 0:
            cosine, sine = (
                added(times(cosine, X), times(sine, Y), -1.0),
                added(times(cosine, Y), times(sine, X), 1.0),
            )
            start *= 2.0 * m - 1.0
        before: Polynomial = {}
        now: Polynomial = {(0, 0, 0): start}
        for degree in range(m, l_max + 1):
            harmonics[degree, m] = times(now, cosine)
            if m > 0:
                harmonics[degree, -m] = times(now, sine)
            factor = 1.0 / (degree - m + 1.0)
            two = added(times(now, Z), times(before, SQUARE), -(degree + m) / (2.0 * degree + 1.0))
            before, now = now, {e: factor * (2.0 * degree + 1.0) * c for e, c in two.items()}
    columns = [harmonics[degree, m] for degree in range(l_min, l_max + 1) for m in range(-degree, degree + 1)]
    monomials = sorted({exponents for column in columns for exponents in column})
    coefficients = [[column.get(exponents, 0.0) for column in columns] for exponents in monomials]
    return torch.tensor(monomials).T.contiguous(), torch.tensor(coefficients, dtype=torch.float64)


def times(p: Polynomial, q: Polynomial) -> dict[Exponents, float]:
    """Return the product of two polynomials."""
    product: dict[Exponents, float] = defaultdict(float)
    for (a, b, c), first in p.items():
        for (d, e, f), second in q.items():
            product[a + d, b + e, c + f] += first * second
    return dict(product)


def added(p: Polynomial, q: Polynomial, factor: float) -> dict[Exponents, float]:
    """Return ``p + factor q``."""
    return {exponents: p.get(exponents, 0.0) + factor * q.get(exponents, 0.0) for exponents in p.keys() | q.keys()}
