"""A value with its standard error: what every average, fit and melting point is given as."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A number and its standard error, both in one unit."""

    value: float
    error: float

    def times(self, factor: float) -> Estimate:
        """Return both in another unit, or of a multiple."""
        return Estimate(self.value * factor, self.error * abs(factor))
