"""Means of correlated series with honest errors, and the root of a straight line through points with errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unnp.errors import SamplingError

FEWEST_BLOCKS = 8


@dataclass(frozen=True)
class Mean:
    """Mean of a series, its standard error and its drift.

    Attributes:
        value: mean.
        error: standard error, from blocks and not below half of a drift that stands out.
        drift: mean of the second half less that of the first.
        drift_error: standard error of it.
    """

    value: float
    error: float
    drift: float
    drift_error: float

    @property
    def drifts(self) -> bool:
        """Whether the halves differ by more than three standard errors."""
        return bool(abs(self.drift) > 3 * self.drift_error)


def mean_of(series: np.ndarray) -> Mean:
    """Return the mean of a correlated series (n,) with its error and drift; raise SamplingError for fewer than eight."""
    if len(series) < FEWEST_BLOCKS:
        raise SamplingError(
            f"{len(series)} rows of output are too few for an error bar; make the run's duration longer."
        )
    first, second = np.array_split(series, 2)
    drift = float(second.mean() - first.mean())
    drift_error = float(np.hypot(block_error(first), block_error(second)))
    error = block_error(series)
    if abs(drift) > 3 * drift_error:
        error = max(error, abs(drift) / 2)
    return Mean(float(series.mean()), error, drift, drift_error)


def block_error(series: np.ndarray) -> float:
    """Return the standard error of the mean of a correlated series.

    Block averages (Flyvbjerg and Petersen, J. Chem. Phys. 91, 461 (1989)): the series is cut into blocks of 1, 2, 4, ...
    values; the standard error of the mean of the block means grows until the blocks are independent. The largest of them
    over all block lengths that leave at least eight blocks is returned, so that it errs to the safe side.

    Args:
        series: (n,), at least two values; fewer than 16 are taken as independent.
    """
    errors: list[float] = []
    blocks = np.asarray(series, dtype=float)
    while len(blocks) >= 2 and (len(blocks) >= FEWEST_BLOCKS or not errors):
        errors.append(float(blocks.std(ddof=1) / np.sqrt(len(blocks))))
        blocks = blocks[: len(blocks) // 2 * 2].reshape(-1, 2).mean(1)
    return max(errors, default=float("nan"))


@dataclass(frozen=True)
class Line:
    """A straight line through points with errors, and where it is zero.

    Attributes:
        root, root_error: where it is zero.
        slope, slope_error: of it.
        chi_squared: weighted sum of squared residuals per degree of freedom, 0 where there is none.
    """

    root: float
    root_error: float
    slope: float
    slope_error: float
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
    return Line(root, float(np.sqrt(variance)) / abs(slope), slope, float(np.sqrt(scale / spread)), chi_squared)
