"""What `unnp melt` is asked to do: crystal, potential, pressure, and the routes to its melting point."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, PositiveInt, model_validator

from unnp.config import Config
from unnp.config.resume import FREE
from unnp.lammps.system_config import Positive, RunConfig, Seed, StructureConfig

RouteName = Literal["coexistence", "pinning", "momt"]
STRIDE = 200
"""Timesteps between rows of output: averages of the temperature, phase labels."""
BRACKET = (0.6, 1.6)
"""Range in which the melting point is looked for where one temperature is given, as multiples of it."""


class CellConfig(Config):
    """The cell of solid and liquid, and how it is made. Times in ps."""

    atoms: int = Field(default=2800, ge=32)
    """least number of atoms in a cell; the crystal is repeated to about three times as long as wide"""
    repeat: tuple[PositiveInt, PositiveInt, PositiveInt] | None = None
    """copies of the structure along its axes; default: as many as `atoms` needs; fewer are refused"""
    equilibration: Positive = 3.0
    """time for the crystal to settle at temperature and pressure, before its box is averaged [ps]"""
    averaging: Positive = 6.0
    """time over which the crystal's box is averaged, and for half as long the order parameter in that box [ps]"""
    melting: Positive = 6.0
    """time in which half of the cell is melted while the other half is held [ps]"""
    cooling: Positive = 3.0
    """time in which the melt is brought back to temperature; for a third as long both phases settle together [ps]"""
    melt_temperature: Positive | None = None
    """temperature at which half of the cell is melted [K]; default: twice the temperature of the cell"""


class CoexistenceConfig(Config):
    """Two phases side by side at constant enthalpy and pressure: the temperature finds the melting point. Times in ps."""

    duration: Positive = 150.0
    """length of the constant-enthalpy run [ps]"""
    discard: Annotated[FiniteFloat, Field(ge=0, lt=0.9)] = 0.1
    """fraction at the beginning of each run that is left out"""
    runs: int = Field(default=1, ge=1)
    """independent runs in each round, with other seeds"""
    rounds: int = Field(default=4, ge=1)
    """largest number of rounds; each begins where the one before ended, until two in a row agree"""
    attempts: int = Field(default=4, ge=1)
    """largest number of starts at other temperatures, where one phase takes the whole cell"""


class PinningConfig(Config):
    """Solid and liquid held side by side by a harmonic field; the mean force gives their difference in chemical potential."""

    duration: Positive = 50.0
    """length of the run at each temperature [ps]"""
    discard: Annotated[FiniteFloat, Field(ge=0, lt=0.9)] = 0.3
    """fraction at the beginning of each run that is left out"""
    temperatures: list[Positive] | None = None
    """temperatures at which the difference is measured [K]; default: chosen one after the other until they bracket the
    melting point"""
    most_temperatures: int = Field(default=5, ge=2)
    """largest number of temperatures that are tried, where none are given"""
    stiffness: Positive | None = None
    """stiffness of the pinning field [eV]; default: kT over the square of 1.2 % of the whole crystal's order
    parameter"""


class MomtRouteConfig(Config):
    """The melting points of runs of `unnp sample momt` with cells of several sizes."""

    folders: list[Path] = Field(default_factory=list)
    """folders in which `unnp sample momt` has run, relative to this file; default: runs are made here"""
    cells: list[PositiveInt] | None = None
    """copies of the structure along each axis in the runs made here, one run each; default: those with 30 to 130
    atoms"""
    settings: dict[str, Any] = Field(default_factory=dict)
    """settings of `unnp sample momt` for the runs made here, on top of those that follow from this file"""


class MeltConfig(RunConfig):
    """Melting point of a crystal with LAMMPS. Units: A, ps, K, GPa; the timestep in fs.

    When a run is resumed with other settings, the stages that they concern are run again.
    """

    structure: StructureConfig
    """the crystal; for coexistence and pinning its cell must be rectangular, with the interface at right angles to the third
    axis"""
    pressure: FiniteFloat = 0.0
    """pressure [GPa]"""
    temperatures: Positive | tuple[Positive, Positive] = Field(json_schema_extra=FREE)
    """a first guess, or [low, high] between which the melting point is looked for [K]"""
    routes: list[RouteName] = Field(default=["coexistence", "pinning"], min_length=1, json_schema_extra=FREE)
    """routes that are taken, in this order; a later one begins where the one before ended"""
    cell: CellConfig = Field(default=CellConfig(), json_schema_extra=FREE)
    coexistence: CoexistenceConfig = Field(default=CoexistenceConfig(), json_schema_extra=FREE)
    pinning: PinningConfig = Field(default=PinningConfig(), json_schema_extra=FREE)
    momt: MomtRouteConfig = Field(default=MomtRouteConfig(), json_schema_extra=FREE)
    timestep: Positive = 2.0
    """timestep [fs]"""
    temperature_damping: Positive | None = Field(default=None, json_schema_extra=FREE)
    """relaxation time of thermostats [fs], default 100 timesteps"""
    pressure_damping: Positive | None = Field(default=None, json_schema_extra=FREE)
    """relaxation time of barostats [fs], default 1000 timesteps"""
    seed: Seed = Field(default=1, json_schema_extra=FREE)
    """seed for velocities and random forces"""

    @model_validator(mode="after")
    def _in_order(self) -> MeltConfig:
        if isinstance(self.temperatures, tuple) and self.temperatures[0] >= self.temperatures[1]:
            raise ValueError("`temperatures` is [low, high]: the first must be below the second")
        if len(set(self.routes)) < len(self.routes):
            raise ValueError("`routes` names a route twice")
        return self

    @property
    def bracket(self) -> tuple[float, float]:
        """Temperatures between which the melting point is looked for [K]."""
        if isinstance(self.temperatures, tuple):
            return self.temperatures
        return self.temperatures * BRACKET[0], self.temperatures * BRACKET[1]

    @property
    def guess(self) -> float:
        """The temperature to begin with [K]."""
        return sum(self.temperatures) / 2 if isinstance(self.temperatures, tuple) else self.temperatures

    def steps(self, picoseconds: float) -> int:
        """Return a time [ps] in timesteps, a multiple of ``STRIDE`` and at least that."""
        return STRIDE * max(1, round(1000 * picoseconds / self.timestep / STRIDE))
