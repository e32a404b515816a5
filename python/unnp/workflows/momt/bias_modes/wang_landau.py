"""Mode wl."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import FiniteFloat, PositiveInt

from unnp.errors import LammpsError
from unnp.lammps.system_config import Positive
from unnp.workflows.momt.basins import Basins, Grid
from unnp.workflows.momt.bias_modes.base import BiasMode, Profile, given_words

CENTRE_WEIGHTS = np.array([1.0, 23.0, 23.0, 1.0]) / 48
"""Values of uniform cubic B-splines in the middle between two knots."""


class WlBias(BiasMode):
    """Wang-Landau in enthalpy and order parameter, on a grid that comes from the observe stage."""

    kind: Literal["wl"]
    enthalpy_bins: PositiveInt | None = None
    """bins of h = H + tilt s; default: as wide as the standard deviation of H in the observe stage"""
    tilt: FiniteFloat | None = None
    """how much of s is in h [eV]; default: so that solid and liquid of one temperature have the same h"""
    bins: PositiveInt | None = None
    """bins of the order parameter; default: that of `fix momt`"""
    increment: Positive | None = None
    """first increment of ln n; default: that of `fix momt`"""

    def words(self, basins: Basins) -> list[str]:
        grid = basins.grid
        n_bins = self.enthalpy_bins or max(1, round((grid.high - grid.low) / grid.width))
        given = given_words({"bins": self.bins, "increment": self.increment})
        return [f"enthalpy {grid.low:.8g} {grid.high:.8g} {n_bins} tilt {grid.tilt:.6g}", *given]

    def tilt_of(self, found: float) -> float:
        return found if self.tilt is None else self.tilt

    def check_grid(self, grid: Grid, temperatures: tuple[float, float]) -> None:
        if grid.high <= grid.low:
            low, high = temperatures
            raise LammpsError(
                f"bias.tilt: with {grid.tilt:g} eV the solid at {low:g} K lies above the liquid at {high:g} K in H + tilt "
                "s. Leave it out, or give less."
            )

    @staticmethod
    def profiles(bias: dict[str, Any], b0: float) -> list[Profile]:
        """Return the mean ln n, of which a frozen bias consists, at the centres of the bins that were visited."""
        density = np.array(bias["mean_log_density"], dtype=float)
        return [Profile(_at_centres(density), np.array(bias["visits"]) > 0)]


def _at_centres(coefficients: np.ndarray) -> np.ndarray:
    """Return the values of a cubic spline at the centres of its bins, (n_h, n_s) of coefficients (n_h + 3, n_s + 3)."""
    for axis in (0, 1):
        windows = np.lib.stride_tricks.sliding_window_view(coefficients, 4, axis=axis)
        coefficients = windows @ CENTRE_WEIGHTS
    return coefficients
