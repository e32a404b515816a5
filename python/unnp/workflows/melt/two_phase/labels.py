"""Which part of a cell is crystal: from the share of atoms that look like crystal, calibrated on both phases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unnp.errors import LammpsError, SamplingError

LEAST_SOLID, MOST_LIQUID = 0.7, 0.3
"""Share of crystal-like atoms in a crystal and in a melt, for the labels to tell them apart."""
LEAST_PHASE = 0.1
"""Share of the cell that each phase must hold."""


class PhaseLostError(SamplingError):
    """One of two phases is gone.

    Attributes:
        left: the phase that took the whole cell, "solid" or "liquid".
        temperature: at the end [K].
        adiabatic: whether the temperature was free, so that it had moved towards the melting point.
    """

    def __init__(self, left: str, temperature: float, where: str, *, adiabatic: bool = False) -> None:
        self.left, self.temperature, self.adiabatic = left, temperature, adiabatic
        super().__init__(f"{where}: the whole cell became {left}, at {temperature:.0f} K.")


@dataclass(frozen=True)
class Calibration:
    """Share of crystal-like atoms in the crystal and in the melt, each alone."""

    solid: float
    liquid: float

    def solid_share(self, crystal_like: np.ndarray) -> np.ndarray:
        """Return the share of the cell that is solid: linear between those of melt and crystal."""
        return (crystal_like - self.liquid) / (self.solid - self.liquid)


def check_both_present(solid_share: np.ndarray, temperature: float, where: str, *, adiabatic: bool) -> None:
    """Raise PhaseLostError where one phase falls below a tenth of the cell.

    Args:
        solid_share: (n,) over time.
        temperature: at the end [K].
        where: what the message names as the place.
        adiabatic: whether the temperature was free.
    """
    if solid_share.min() < LEAST_PHASE:
        raise PhaseLostError("liquid", temperature, where, adiabatic=adiabatic)
    if solid_share.max() > 1 - LEAST_PHASE:
        raise PhaseLostError("solid", temperature, where, adiabatic=adiabatic)


@dataclass(frozen=True)
class Profiles:
    """Averages in layers along the normal of the interface, one after the other.

    Attributes:
        step: (n_times,) with which each average ends.
        position: (n_layers,) in fractions of the cell.
        density: (n_times, n_layers) [1/A^3].
        crystal_like: (n_times, n_layers) share of atoms.
    """

    step: np.ndarray
    position: np.ndarray
    density: np.ndarray
    crystal_like: np.ndarray

    def last(self, n: int, smoothing: float) -> tuple[np.ndarray, np.ndarray]:
        """Return density (n_layers,) and smoothed share of crystal-like atoms (n_layers,), means of the last profiles.

        Args:
            n: profiles to be averaged.
            smoothing: standard deviation of the Gaussian over the layers, in fractions of the cell, for the share.
        """
        density = self.density[-n:].mean(0)
        crystal = (self.density * self.crystal_like)[-n:].mean(0)
        frequency = np.fft.rfftfreq(len(density), 1 / len(density))
        damping = np.exp(-0.5 * (2 * np.pi * frequency * smoothing) ** 2)
        smooth, total = (np.fft.irfft(np.fft.rfft(x) * damping, len(density)) for x in (crystal, density))
        return density, smooth / total


def read_profiles(path: Path) -> Profiles:
    """Read what ``fix ave/chunk`` wrote; a last average that is not whole is left out.

    Raises:
        LammpsError: the file is missing or holds no average.
    """
    lines = path.read_text().splitlines() if path.is_file() else []
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    steps, tables = [], []
    k = 0
    while k < len(rows):
        n_layers = int(rows[k][1])
        table = rows[k + 1 : k + 1 + n_layers]
        if len(table) == n_layers and all(len(row) == 5 for row in table):
            steps.append(int(rows[k][0]))
            tables.append(np.array(table, dtype=float))
        k += 1 + n_layers
    if not tables:
        raise LammpsError(f"{path} holds no profile; delete the .json of its stage and run again.")
    whole = np.array(tables)
    return Profiles(np.array(steps), whole[0, :, 1], whole[:, :, 3], whole[:, :, 4])
