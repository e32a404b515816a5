"""Settings of the samples that are random cells of many elements, melted and cooled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from ase.data import atomic_numbers, reference_states
from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, field_validator, model_validator

from unnp.atoms.elements import Elements
from unnp.config import Config
from unnp.errors import UnnpError

Start = Literal["fcc", "bcc", "hcp", "packing"]
# volume per atom of a crystal: this times a^3, for hcp times a^2 c
_VOLUMES = {"fcc": 1 / 4, "bcc": 1 / 2, "diamond": 1 / 8, "sc": 1.0, "hcp": 3**0.5 / 4}


def _known(symbols: list[str]) -> list[str]:
    try:
        return Elements(symbols).symbols
    except UnnpError as error:
        raise ValueError(str(error)) from None


Symbols = Annotated[list[str], AfterValidator(_known)]
"""chemical symbols, each once"""


class TemperatureRange(Config):
    """Temperatures drawn so that their logarithms are uniform."""

    lowest: PositiveFloat = 500.0
    """Lowest temperature [K]."""
    highest: PositiveFloat = 10000.0
    """Highest temperature [K]."""

    @model_validator(mode="after")
    def _in_order(self) -> TemperatureRange:
        if self.lowest > self.highest:
            raise ValueError(f"lowest ({self.lowest:g} K) must not be above highest ({self.highest:g} K)")
        return self


class Mixture(Config):
    """Random cells of many elements, melted by molecular dynamics at constant volume, sampled, and cooled."""

    kind: Literal["mixture"]
    elements: Symbols = Field(min_length=1)
    """Elements that cells are made of."""
    count: PositiveInt
    """Number of cells."""
    elements_per_cell: tuple[PositiveInt, PositiveInt] = (1, 5)
    """Fewest and most elements in a cell."""
    atoms: tuple[PositiveInt, PositiveInt] = (10, 40)
    """Fewest and most atoms in a cell."""
    starts: list[Start] = Field(default=["fcc", "bcc", "hcp", "packing"], min_length=1)
    """How atoms are placed at first: a crystal with its sites occupied at random, or a random packing; drawn for each cell."""
    volumes: dict[str, PositiveFloat] = Field(default_factory=dict)
    """Volume per atom [A^3] of elements; default: that of the element's crystal in ASE."""
    volume_factors: tuple[PositiveFloat, PositiveFloat] = (0.9, 1.3)
    """The volume of a cell is the sum of those of its atoms times a factor drawn from this range."""
    temperatures: list[PositiveFloat] | TemperatureRange = TemperatureRange()
    """Temperatures of the melt [K]: a list from which one is drawn for each cell, or a range."""
    cool_to: PositiveFloat = 300.0
    """Temperature at the end [K]."""
    timestep: PositiveFloat = 0.001
    """Timestep of the dynamics [ps]."""
    melting: PositiveFloat = 1.6
    """Time at the temperature of the melt [ps]."""
    cooling: PositiveFloat = 1.0
    """Time of the cooling [ps], at a constant rate."""
    snapshots: PositiveInt = 8
    """Snapshots of the melt, evenly in time."""
    cooled_snapshots: PositiveInt = 4
    """Snapshots of the cooling, evenly in time."""
    group: str | None = None
    """Group of the structures; default: melt-1000-2000K and the like by temperature (melt-1500K with a list), and cooled."""

    @field_validator("elements_per_cell", "atoms", "volume_factors")
    @classmethod
    def _in_order(cls, limits: tuple[float, float]) -> tuple[float, float]:
        if limits[0] > limits[1]:
            raise ValueError(f"the first number, {limits[0]}, must not be above the second, {limits[1]}")
        return limits

    @field_validator("temperatures")
    @classmethod
    def _some(cls, temperatures: list[float] | TemperatureRange) -> list[float] | TemperatureRange:
        if isinstance(temperatures, list) and not temperatures:
            raise ValueError("give at least one temperature")
        return temperatures

    @model_validator(mode="after")
    def _fits_together(self) -> Mixture:
        if self.elements_per_cell[1] > len(self.elements):
            raise ValueError(f"elements_per_cell asks for {self.elements_per_cell[1]} of {len(self.elements)} elements")
        if self.elements_per_cell[1] > self.atoms[0]:
            raise ValueError(f"{self.atoms[0]} atoms (atoms) have no {self.elements_per_cell[1]} elements")
        if self.cool_to > self.coldest_melt:
            raise ValueError(f"cool_to, {self.cool_to:g} K, must not be above the temperatures")
        if unsized := [symbol for symbol in self.elements if np.isnan(self.atomic_volume(symbol))]:
            raise ValueError(f"give the volume per atom [A^3] of {', '.join(unsized)} in volumes")
        return self

    @property
    def coldest_melt(self) -> float:
        """Lowest temperature [K] that a melt can have."""
        return min(self.temperatures) if isinstance(self.temperatures, list) else self.temperatures.lowest

    def atomic_volume(self, symbol: str) -> float:
        """Return the volume per atom [A^3] of an element, NaN where it is not given and not known."""
        return atomic_volume(symbol, self.volumes)

    def group_of(self, temperature: float, cooled: bool) -> str:
        """Return the group of a frame by the temperature [K] of its melt."""
        if self.group is not None or cooled:
            return self.group or "cooled"
        if isinstance(self.temperatures, list):
            return f"melt-{temperature:g}K"
        low = 500.0 * 2.0 ** np.floor(np.log2(temperature / 500.0))
        return f"melt-{max(low, self.temperatures.lowest):g}-{min(2 * low, self.temperatures.highest):g}K"


def atomic_volume(symbol: str, given: Mapping[str, float]) -> float:
    """Return the volume per atom [A^3] of an element: the one given, else that of its crystal in ASE; NaN without either."""
    if symbol in given:
        return given[symbol]
    crystal: dict[str, Any] = reference_states[atomic_numbers[symbol]] or {}
    share = _VOLUMES.get(crystal.get("symmetry", ""), np.nan)
    return float(share * crystal.get("a", np.nan) ** 3 * crystal.get("c/a", 1.0))
