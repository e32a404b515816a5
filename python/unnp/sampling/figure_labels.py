"""What the figures of an analysis share: colours, axis titles, error bands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from unnp.sampling.analysis import Analysis
from unnp.sampling.estimate import Estimate
from unnp.sampling.log_file import UnitNames, unit_names

COLOURS = {"all": "0.15", "solid": "tab:blue", "liquid": "tab:orange"}
_SYMBOLS = {
    "A": "Å",
    "A^3": "Å$^3$",
    "epsilon": r"$\epsilon$",
    "sigma^3": r"$\sigma^3$",
    "epsilon/k": r"$\epsilon/k$",
}


@dataclass(frozen=True)
class AxisLabels:
    """Axis titles with units.

    Attributes:
        names: units of the run.
        order_name: name of the order parameter.
        with_volume: whether enthalpies hold a P V other than 0.
    """

    names: UnitNames
    order_name: str
    with_volume: bool

    def __getitem__(self, quantity: str) -> str:
        """Return the axis title of energy, enthalpy, volume, order or temperature."""
        volume = _SYMBOLS.get(f"{self.names.length}^3", f"{self.names.length}$^3$")
        energy = "enthalpy" if self.with_volume else "potential energy"
        return {
            "energy": f"potential energy [{self.energy}/atom]",
            "enthalpy": f"{energy} [{self.energy}/atom]",
            "volume": f"volume [{volume}/atom]",
            "order": f"order parameter $s$ ({self.order_name})",
            "temperature": f"temperature [{self.temperature}]",
        }[quantity]

    @property
    def energy(self) -> str:
        """Unit of energy."""
        return _SYMBOLS.get(self.names.energy, self.names.energy)

    @property
    def temperature(self) -> str:
        """Unit of temperature."""
        return _SYMBOLS.get(self.names.temperature, self.names.temperature)

    @property
    def scale(self) -> float:
        """Small energies in ``small_energy`` = energies times this."""
        return 1000.0 if self.names.energy == "eV" else 1.0

    @property
    def small_energy(self) -> str:
        """Unit of small energies: meV where energies are in eV."""
        return "meV" if self.names.energy == "eV" else self.energy

    def number(self, temperature: Estimate) -> str:
        """Return a temperature with error and unit, to two digits of the error."""
        digits = max(0, 1 - int(np.floor(np.log10(temperature.error)))) if temperature.error > 0 else 1
        return f"{temperature.value:.{digits}f} ± {temperature.error:.{digits}f} {self.temperature}"


def labels(analysis: Analysis) -> AxisLabels:
    """Return the axis titles of an analysis."""
    header = analysis.evidence.samples.header
    return AxisLabels(unit_names(header), header.order, bool(analysis.evidence.pressure))


def shade(ax: Axes, x: np.ndarray, value: np.ndarray, error: np.ndarray, colour: str, label: str | None = None) -> None:
    """Draw a curve with a band of one standard error."""
    ax.plot(x, value, color=colour, lw=1.2, label=label)
    ax.fill_between(x, value - error, value + error, color=colour, alpha=0.25, lw=0)


def phase_line(ax: Axes, analysis: Analysis) -> None:
    """Draw the dividing value of the order parameter, where there is one."""
    if analysis.transition.phases is not None:
        ax.axhline(analysis.transition.phases.dividing, color="0.3", lw=0.8, ls="--")
