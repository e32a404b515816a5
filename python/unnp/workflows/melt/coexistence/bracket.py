"""Temperatures between which a melting point lies, narrowed by each phase that is lost."""

from __future__ import annotations

from dataclasses import dataclass

from unnp.errors import SamplingError
from unnp.workflows.melt.two_phase.labels import PhaseLostError

MARGIN = 0.03
"""Relative overshoot of the next start where a temperature drifted by itself and was still not enough."""


@dataclass
class Bracket:
    """The bounds [K]."""

    low: float
    high: float

    def next_guess(self, error: PhaseLostError, start: float) -> float:
        """Narrow the bracket and return where to begin next, after a start that lost a phase [K].

        The phase left over is stable where it was left: melt above the melting point, crystal below. A temperature that was
        free has come near to the melting point: the next start is a little beyond it, and beyond the last; otherwise it is
        the middle of the bracket.

        Raises:
            SamplingError: the melting point is outside of the bracket.
        """
        melted, found = error.left == "liquid", error.temperature
        self.low, self.high = (self.low, min(self.high, found)) if melted else (max(self.low, found), self.high)
        if self.low >= self.high:
            side, bound = ("below", self.low) if melted else ("above", self.high)
            raise SamplingError(f"{error} So the melting point is {side} {bound:.0f} K; give other `temperatures`.")
        middle = (self.low + self.high) / 2
        if not error.adiabatic:
            return middle
        if melted:
            return max(middle, (1 - MARGIN) * min(found, start))
        return min(middle, (1 + MARGIN) * max(found, start))
