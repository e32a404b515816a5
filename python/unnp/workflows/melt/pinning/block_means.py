"""Means of correlated series that hold many correlation times, with errors from blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unnp.errors import SamplingError
from unnp.sampling.estimate import Estimate

FEWEST_BLOCKS = 8


@dataclass(frozen=True)
class Mean(Estimate):
    """Mean of a series; its error is from blocks, and not below half of a drift that stands out.

    Attributes:
        drift: mean of the second half less that of the first.
    """

    drift: Estimate

    @property
    def drifts(self) -> bool:
        """Whether the halves differ by more than three standard errors."""
        return bool(abs(self.drift.value) > 3 * self.drift.error)


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
    return Mean(float(series.mean()), error, Estimate(drift, drift_error))


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
