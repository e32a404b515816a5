"""What `unnp md` is asked to do: structure, potential, ensemble, output."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from unnp.config import Config
from unnp.config.resume import FREE
from unnp.lammps.system_config import Positive, RunConfig, Seed
from unnp.lammps.watching import CaptureConfig, StopConfig, require_model

Temperature = Annotated[FiniteFloat, Field(ge=0)]
Ensemble = Literal["nve", "nvt", "npt", "nph", "langevin"]

THERMOSTATTED = ("nvt", "npt", "langevin")
BAROSTATTED = ("npt", "nph")


class DumpConfig(Config):
    """The trajectory."""

    every: int = Field(default=1000, ge=1)
    """steps between frames"""
    format: Literal["extxyz", "lammpstrj"] = "extxyz"
    """extxyz is read by ASE and OVITO, lammpstrj is LAMMPS' own text"""


class MdConfig(RunConfig):
    """A molecular dynamics run with LAMMPS. Units: A, fs, K, GPa."""

    ensemble: Ensemble = "nvt"
    """nve, nvt and npt (Nose-Hoover), nph, or langevin"""
    temperature: Temperature | tuple[Temperature, Temperature]
    """temperature [K], or [start, end] of a ramp; without a thermostat the one that the velocities start with"""
    pressure: FiniteFloat | tuple[FiniteFloat, FiniteFloat] | None = None
    """pressure [GPa], or [start, end] of a ramp; for npt and nph, default 0"""
    coupling: Literal["iso", "aniso", "tri"] | None = None
    """which cell changes npt and nph make: all directions alike (default), each on its own, or also the angles"""
    steps: int = Field(ge=1, json_schema_extra=FREE)
    """length of the run; when it is resumed it may become longer, but for a ramp of temperature or pressure"""
    timestep: Positive = 1.0
    """timestep [fs]"""
    temperature_damping: Positive | None = None
    """relaxation time of the thermostat [fs], default 100 timesteps"""
    pressure_damping: Positive | None = None
    """relaxation time of the barostat [fs], default 1000 timesteps"""
    velocities: Literal["auto", "file", "random"] = "auto"
    """velocities to begin with: those of the structure `file`, or `random` ones at the temperature; auto: those of the
    file if it has any"""
    seed: Seed = 1
    """seed for velocities and random forces"""
    minimise: bool = False
    """relax the atoms in the given cell before the dynamics"""
    thermo: int = Field(default=100, ge=1, json_schema_extra=FREE)
    """steps between rows of the table of temperature, pressure and energies"""
    dump: DumpConfig | None = Field(default=DumpConfig(), json_schema_extra=FREE)
    """the trajectory; null for none"""
    deviation: int | None = Field(default=None, ge=1, json_schema_extra=FREE)
    """steps between lines of `deviation.out`, in which a model that is a committee says how far its members disagree; null:
    none"""
    capture: CaptureConfig | None = Field(default=None, json_schema_extra=FREE)
    """frames to keep where the model may be off, in `captured.extxyz`; null: none"""
    stop: StopConfig | None = Field(default=None, json_schema_extra=FREE)
    """when the run ends because the model may be off; null: never"""
    restart: int = Field(default=10_000, ge=1, json_schema_extra=FREE)
    """steps between restart files, from which `--resume` goes on"""

    @model_validator(mode="after")
    def _fits_the_ensemble(self) -> MdConfig:
        if self.ensemble not in THERMOSTATTED and isinstance(self.temperature, tuple):
            raise ValueError(f"a temperature ramp needs a thermostat ({', '.join(THERMOSTATTED)}), not {self.ensemble}")
        if self.ensemble in THERMOSTATTED and min(self.temperatures) <= 0:
            raise ValueError(f"{self.ensemble} needs a temperature above 0 K")
        if self.ensemble not in BAROSTATTED:
            for name in ("pressure", "coupling", "pressure_damping"):
                if getattr(self, name) is not None:
                    raise ValueError(f"`{name}` needs a barostat ({', '.join(BAROSTATTED)}), not {self.ensemble}")
        if self.ensemble not in THERMOSTATTED and self.temperature_damping is not None:
            raise ValueError(
                f"`temperature_damping` needs a thermostat ({', '.join(THERMOSTATTED)}), not {self.ensemble}"
            )
        return self

    @model_validator(mode="after")
    def _deviates_as_a_model(self) -> MdConfig:
        require_model(self.potential, self.watched)
        return self

    @property
    def watched(self) -> list[str]:
        """The settings that need a model with deviations, by name."""
        return [name for name in ("deviation", "capture", "stop") if getattr(self, name) is not None]

    @property
    def is_ramp(self) -> bool:
        """Whether temperature or pressure changes over the steps."""
        return isinstance(self.temperature, tuple) or isinstance(self.pressure, tuple)

    @property
    def temperatures(self) -> tuple[float, float]:
        """Start and end temperature [K]."""
        return self.temperature if isinstance(self.temperature, tuple) else (self.temperature, self.temperature)

    @property
    def pressures(self) -> tuple[float, float]:
        """Start and end pressure [GPa]."""
        if isinstance(self.pressure, tuple):
            return self.pressure
        return (self.pressure or 0.0, self.pressure or 0.0)
