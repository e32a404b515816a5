"""What the observe stage finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """The range of h = H + tilt s over both phases, for Wang and Landau.

    Attributes:
        low, high: ends of h [eV].
        width: width that a bin has [eV].
        tilt: [eV].
    """

    low: float
    high: float
    width: float
    tilt: float


@dataclass(frozen=True)
class Basins:
    """What the observe stage found.

    Attributes:
        liquid: s below this is liquid.
        solid: s above this is solid.
        enthalpies: lowest and highest enthalpy of the ensemble [eV].
        grid: over both phases from the lowest to the highest temperature.
    """

    liquid: float
    solid: float
    enthalpies: tuple[float, float]
    grid: Grid
