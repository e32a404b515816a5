"""The oracle of `fix momt` where its bias is a spline: grids, and the density of states of mode wl."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from momt_oracle import BOLTZMANN
from scipy.integrate import quad
from scipy.interpolate import BSpline


@dataclass
class Grid:
    """A direction of uniform cubic B-splines: n intervals between low and high, n + 3 coefficients."""

    low: float
    high: float
    n: int

    @property
    def width(self) -> float:
        return (self.high - self.low) / self.n

    @property
    def peaks(self) -> np.ndarray:
        """Return where the spline of each coefficient peaks."""
        return self.low + (np.arange(self.n + 3) - 1) * self.width

    def weights(self, x: float, derivative: int = 0) -> np.ndarray:
        """Return the values (n + 3) of all splines at a point; the outermost ones are repeated beyond the ends."""
        beyond = 12
        inside = np.clip(x, self.low - 8 * self.width, self.high + 8 * self.width)
        knots = self.low + (np.arange(self.n + 7 + 2 * beyond) - 3 - beyond) * self.width
        values = BSpline(knots, np.eye(self.n + 3 + 2 * beyond), 3)(inside, nu=derivative)
        own = values[beyond:-beyond].copy()
        own[0] += values[:beyond].sum()
        own[-1] += values[-beyond:].sum()
        return own


@dataclass
class Density:
    """Wang-Landau: Vb = kT0 [ln n0(h) + spline(h, s)] - (h - h_middle), d ln n0/dh = 1/kT(h), h = H + C s.

    T rises linearly over the grid, and to the other side of its lower end.
    """

    temperature: float
    t_min: float
    t_max: float
    enthalpy: Grid
    order: Grid
    coefficients: np.ndarray
    tilt: float = 0.0

    @property
    def kt(self) -> float:
        return BOLTZMANN * self.temperature

    @property
    def _kinks(self) -> list[float]:
        grid = self.enthalpy
        return [grid.low - (grid.high - grid.low) / 10, grid.low, grid.high]

    def _rate(self, enthalpy: float) -> float:
        return 1 / (BOLTZMANN * np.interp(enthalpy, self._kinks, [2 * self.t_max, self.t_min, self.t_max]))

    def _spline(self, enthalpy: float, order: float, of_enthalpy: int = 0, of_order: int = 0) -> float:
        left = self.enthalpy.weights(enthalpy + self.tilt * order, of_enthalpy)
        right = self.order.weights(order, of_order)
        return float(left @ self.coefficients @ right)

    def bias(self, enthalpy: float, order: float) -> float:
        """Return Vb [eV]."""
        middle = (self.enthalpy.low + self.enthalpy.high) / 2
        height = enthalpy + self.tilt * order
        prior = quad(self._rate, middle, height, points=self._kinks, epsabs=1e-13, epsrel=1e-13)[0]
        return self.kt * (prior + self._spline(enthalpy, order)) - (height - middle)

    def alpha(self, enthalpy: float, order: float) -> float:
        """Return 1 + dVb/dH."""
        return self.kt * (self._rate(enthalpy + self.tilt * order) + self._spline(enthalpy, order, of_enthalpy=1))

    def order_force(self, enthalpy: float, order: float) -> float:
        """Return dVb/ds [eV]."""
        along_tilt = self.tilt * (self.alpha(enthalpy, order) - 1)
        return self.kt * self._spline(enthalpy, order, of_order=1) + along_tilt

    def update(self, enthalpy: float, order: float, increment: float) -> None:
        """Raise ln n by the splines themselves."""
        along = self.enthalpy.weights(enthalpy + self.tilt * order)
        self.coefficients += increment * np.outer(along, self.order.weights(order))
