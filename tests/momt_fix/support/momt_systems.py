"""The cases in which forces, virials and values are compared: an order parameter, a mode, and a frozen bias for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import ase
import numpy as np
from momt_decks import aluminium
from momt_oracle import Opes, bcc_star, fcc_star, steinhardt, structure_factor, umbrellas
from momt_splines import Density, Grid

T0 = 900.0
TEMPERATURES = np.linspace(650, 1400, 12)
PRESSURE = 30000.0  # [bar]
UPDATES = 1233
LISTED = np.array([(2, 2, 2), (1, -2, 3), (0, 4, -1)])


@dataclass(frozen=True)
class Order:
    """A structure, the words of the fix, the same in numpy, and a width in which the order parameter changes."""

    atoms: Callable[[], ase.Atoms]
    words: str
    value: Callable[[ase.Atoms], float]
    sigma: float = 0.03


def _fcc() -> ase.Atoms:
    return aluminium((2, 2, 2))


ORDERS = {
    "none": Order(_fcc, "none", lambda atoms: 0.0),
    "fcc": Order(_fcc, "sk fcc 2 2 2", lambda a: structure_factor(a, fcc_star(2, 2, 2))),
    "fcc_tilted": Order(
        lambda: aluminium((2, 3, 2), 0.25, tilt=True),
        "sk fcc 2 3 2",
        lambda a: structure_factor(a, fcc_star(2, 3, 2)),
    ),
    "bcc": Order(
        lambda: aluminium((3, 4, 3), 0.2, "bcc"), "sk bcc 3 4 3", lambda a: structure_factor(a, bcc_star(3, 4, 3))
    ),
    "fk": Order(_fcc, "fk fcc 2 2 2", lambda a: structure_factor(a, fcc_star(2, 2, 2)) ** 0.5),
    "list": Order(_fcc, "sk list 3 2 2 2 1 -2 3 0 4 -1", lambda a: structure_factor(a, LISTED), 0.02),
    "q6": Order(lambda: aluminium((2, 2, 2), 0.25), "q6 3.0 4.2", lambda a: steinhardt(a, 3.0, 4.2), 0.02),
    "q6_tilted": Order(
        lambda: aluminium((2, 3, 2), 0.2, tilt=True), "q6 2.8 4.6", lambda a: steinhardt(a, 2.8, 4.6), 0.02
    ),
}


class Bias(Protocol):
    """What the oracle gives of a bias."""

    def bias(self, enthalpy: float, order: float) -> float: ...
    def alpha(self, enthalpy: float, order: float) -> float: ...
    def order_force(self, enthalpy: float, order: float) -> float: ...


@dataclass(frozen=True)
class Prepared:
    """A bias around one structure: in numpy, as words of the fix, and as `bias` of a state."""

    bias: Bias
    words: str
    state: dict[str, Any]


@dataclass(frozen=True)
class Sum:
    """Mode wt: of the enthalpy and, as a spline, of the order parameter."""

    enthalpy: Opes
    grid: Grid
    coefficients: np.ndarray

    def bias(self, enthalpy: float, order: float) -> float:
        return self.enthalpy.bias(enthalpy, order) + float(self.grid.weights(order) @ self.coefficients)

    def alpha(self, enthalpy: float, order: float) -> float:
        return self.enthalpy.alpha(enthalpy, order)

    def order_force(self, enthalpy: float, order: float) -> float:
        return float(self.grid.weights(order, 1) @ self.coefficients)


def rough_opes(order: Order, enthalpy: float, with_umbrellas: bool) -> Opes:
    """Return free energies with noise of k T0 around a structure: many temperatures and umbrellas take part."""
    rng = np.random.default_rng(3)
    center = order.value(order.atoms())
    low, high = center - 6.3 * order.sigma, center + 6.2 * order.sigma
    centres = umbrellas(low, high, order.sigma) if with_umbrellas else np.zeros(0)
    bias = Opes(T0, TEMPERATURES, np.zeros((12, max(1, len(centres)))), centres, order.sigma)
    slope = bias.exponents(enthalpy, center) - bias.exponents(0.0, center)
    bias.free_energies = bias.kt * (slope + rng.normal(0, 1.0, bias.free_energies.shape))
    return bias


def prepare(mode: str, order: Order, enthalpy: float) -> Prepared:
    """Return a frozen bias that is rough around the structure of an order parameter and an enthalpy [eV]."""
    return {"opes": _opes, "wt": _hills, "wl": _density}[mode](order, enthalpy)


def _opes(order: Order, enthalpy: float) -> Prepared:
    bias = rough_opes(order, enthalpy, order.words != "none")
    if order.words == "none":
        return Prepared(bias, "mode opes free 0", opes_state(bias))
    low, high = bias.umbrellas[[0, -1]]
    return Prepared(bias, f"mode opes free 0 range {low:.17g} {high:.17g} sigma {order.sigma}", opes_state(bias))


def _hills(order: Order, enthalpy: float) -> Prepared:
    bias = Sum(rough_opes(order, enthalpy, False), grid := Grid(0.0, 0.9, 212), _wave(grid.peaks))
    hills = {
        "order_grid": [0.0, 0.9, 212],
        "potential": bias.coefficients.tolist(),
        "mean_potential": bias.coefficients.tolist(),
        "sigma": 0.017,
        "height": 0.02,
        "gamma": 40.0,
    }
    state = {"temperatures": opes_state(bias.enthalpy), "hills": hills}
    return Prepared(bias, "mode wt range 0 0.9 sigma 0.017 height 0.02 gamma 40", state)


def _wave(order: np.ndarray) -> np.ndarray:
    return 0.3 * np.cos(14 * order + 1.0) + 0.2 * order


def _density(order: Order, enthalpy: float) -> Prepared:
    tilt = 3.0
    low, high = float(f"{enthalpy - 4.0:.6f}"), float(f"{enthalpy + 5.0 + tilt:.6f}")
    h, s = Grid(low, high, 40), Grid(0.0, 0.9, 30)
    words = f"mode wl enthalpy {low} {high} 40 range 0 0.9 bins 30 tilt {tilt}"
    table = np.sin(2 * (h.peaks[:, None] - enthalpy) + 9 * s.peaks[None, :]) + 4 * s.peaks[None, :]
    if order.words == "none":
        s, tilt, table = Grid(0.0, 1.0, 1), 0.0, np.tile(table[:, :1], 4)
        words = f"mode wl enthalpy {low} {high} 40"
    state = {
        "enthalpy_grid": [low, high, h.n],
        "order_grid": [s.low, s.high, s.n],
        "log_density": table.tolist(),
        "mean_log_density": table.tolist(),
        "histogram": np.ones((h.n, s.n)).tolist(),
        "visits": np.ones((h.n, s.n)).tolist(),
        "increment": 0.01,
        "tilt": tilt,
        "follows_time": False,
        "passages_then": 0,
        "updates": UPDATES,
    }
    return Prepared(Density(T0, 650, 1400, h, s, table, tilt), words, state)


def opes_state(bias: Opes, updates: float | str = UPDATES, rct: float = -0.123) -> dict[str, Any]:
    """Return what mode opes has learnt, with umbrellas (`free 0`, at all temperatures) or without."""
    has_umbrellas = len(bias.umbrellas) > 0
    return {
        "temperatures": bias.temperatures.tolist(),
        "umbrellas": bias.umbrellas.tolist(),
        "sigma": bias.sigma if has_umbrellas else 0.0,
        "free": 0.0,
        "bridge": bias.temperatures[[0, -1]].tolist() if has_umbrellas else [],
        "free_energies": bias.free_energies.tolist(),
        "updates": updates,
        "rct": rct,
    }


def write_state(
    path: Path, mode: str, order: Order, pressure: float | None, bias: dict[str, Any], /, **other: Any
) -> None:
    """Write a state for `start`; `other` replaces members of it."""
    state = {
        "format": "unnp momt state 1",
        "mode": mode,
        "order": order.words,
        "temperature": T0,
        "pressure": pressure,
        "atoms": len(order.atoms()),
        "step": 0,
        "passages": 0,
        "frozen": False,
        "bias": bias,
    }
    path.write_text(json.dumps(state | other, indent=1) + "\n")
