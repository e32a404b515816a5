"""A straight line through points with errors, and where it is zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unnp.sampling.estimate import Estimate


@dataclass(frozen=True)
class Line:
    """A straight line through points with errors, and where it is zero.

    Attributes:
        root: where it is zero.
        slope: the line's slope.
        chi_squared: weighted sum of squared residuals per degree of freedom, 0 where there is none.
    """

    root: Estimate
    slope: Estimate
    chi_squared: float


def fit_line(x: Sequence[float], y: Sequence[float], errors: Sequence[float]) -> Line:
    """Return the weighted least-squares line ``y = slope (x - root)``.

    The covariance of the two coefficients comes from the errors of ``y``; where the points scatter more than these allow,
    it is multiplied by chi squared. The root's error follows from it to first order, with ``x`` counted from the root so
    that the coefficients' correlation does not matter.

    Args:
        x, y, errors: (n,), at least two different ``x``; standard errors of ``y``, above zero.
    """
    abscissa, ordinate, weight = np.asarray(x, float), np.asarray(y, float), 1 / np.asarray(errors, float) ** 2
    centre = float((weight * abscissa).sum() / weight.sum())
    height = float((weight * ordinate).sum() / weight.sum())
    spread = float((weight * (abscissa - centre) ** 2).sum())
    slope = float((weight * (abscissa - centre) * ordinate).sum()) / spread
    free = len(abscissa) - 2
    residuals = ordinate - height - slope * (abscissa - centre)
    chi_squared = float((weight * residuals**2).sum()) / free if free else 0.0
    scale = max(1.0, chi_squared)
    root = centre - height / slope
    variance = scale * (1 / weight.sum() + (root - centre) ** 2 / spread)
    root_error, slope_error = float(np.sqrt(variance)) / abs(slope), float(np.sqrt(scale / spread))
    return Line(Estimate(root, root_error), Estimate(slope, slope_error), chi_squared)
