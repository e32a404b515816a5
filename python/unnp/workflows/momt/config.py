"""What `unnp sample momt` is asked to do. Units: K, GPa, fs for the timestep, ps for everything longer."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, NonNegativeFloat, PositiveInt, model_validator

from unnp.config import Config
from unnp.config.resume import FREE
from unnp.lammps.system_config import Positive, RunConfig, Seed
from unnp.lammps.watching import CaptureConfig, StopConfig, require_model
from unnp.sampling.config import AnalysisConfig
from unnp.workflows.momt.bias_modes import Bias
from unnp.workflows.momt.bias_modes.opes import OpesBias
from unnp.workflows.momt.order_parameters import Order
from unnp.workflows.momt.order_parameters.structure_factor import SkOrder

CANDIDATES = 3
"""frames dumped for each that is wanted, so that there is something to choose from"""


class Span(Config):
    """How long a stage lasts: it ends between `min` and `max`, as soon as its gates hold."""

    min: Positive
    """shortest time of each walker [ps]"""
    max: Positive
    """longest time of each walker [ps]"""

    @model_validator(mode="after")
    def _in_order(self) -> Span:
        if self.min > self.max:
            raise ValueError(f"`min` ({self.min:g}) is larger than `max` ({self.max:g})")
        return self


class StagesConfig(Config):
    """Lengths of the stages."""

    observe: Positive = 10.0
    """plain dynamics of the solid at the lowest and of the liquid at the highest temperature, each [ps]"""
    melt_temperature: Positive | None = None
    """temperature at which the liquid is made [K]; default: 1.5 times the highest temperature"""
    adapt: Span = Field(default=Span(min=200.0, max=1000.0), json_schema_extra=FREE)
    production: Span = Field(default=Span(min=500.0, max=2000.0), json_schema_extra=FREE)
    chunk: Positive = 50.0
    """length of the pieces for which LAMMPS is started [ps]; gates are looked at in between, and a kill costs at most
    one"""


class GatesConfig(Config):
    """When a stage may end before its `max`."""

    round_trips: NonNegativeFloat = 20.0
    """least number of ways from solid to liquid and back, all walkers together"""
    drift: Positive = 0.2
    """largest change that the bias' free energies may show over the second half of the adapt stage, in k T0"""
    effective_fraction: NonNegativeFloat = Field(default=0.02, lt=1)
    """least effective sample size over number of samples in production, at each temperature"""


class FramesConfig(Config):
    """The structures that are kept and labelled."""

    wanted: PositiveInt = 2000
    """number of frames in frames.extxyz"""
    flat: bool = True
    """whether frames are taken from each bin of enthalpy and order alike, as far as there are any; false: evenly in
    time"""
    bins: Annotated[int, Field(ge=1, le=1000)] = 20
    """bins of the enthalpy and of the order parameter, for `flat`"""
    stride: PositiveInt | None = None
    """steps between candidates; default: so that the shortest production gives three times the frames wanted"""


class MomtConfig(RunConfig):
    """Sampling of solid and liquid over a range of temperatures in one run."""

    temperatures: tuple[Positive, Positive]
    """lowest and highest temperature of the ensemble [K]"""
    temperature: Positive | None = None
    """temperature of the thermostat, T0 [K]; best is 1.0 to 1.1 times the melting point; default: the geometric mean of
    the range"""
    n_temperatures: Annotated[int, Field(ge=2, le=1000)] = 12
    """number of temperatures in the ensemble"""
    pressure: FiniteFloat | None = 0.0
    """pressure [GPa]; null: constant volume"""
    coupling: Literal["iso", "aniso", "tri"] = "iso"
    """which cell changes the barostat makes; a liquid in a small cell may shear away with aniso and tri"""
    order: Order = SkOrder(kind="sk")
    """the order parameter that tells solid from liquid"""
    bias: Bias = OpesBias(kind="opes")
    """how the bias is made"""
    bias_from: Path | None = None
    """folder of another run of the same mode, order parameter, temperatures, pressure and number of atoms, or a state file of
    `fix momt`, whose bias this run begins with: a learnt potential needs about that of its teacher; null: none"""
    pace: PositiveInt = 25
    """steps between updates of the bias, and between rows of the logs"""
    timestep: Positive = 2.0
    """timestep [fs]; must be short enough for frequencies scaled by sqrt(T0 / lowest temperature)"""
    thermostat: Literal["csvr", "langevin"] = "csvr"
    """velocity rescaling with the canonical distribution, or random forces"""
    temperature_damping: Positive | None = None
    """relaxation time of the thermostat [fs]; default: 50 timesteps for csvr, 500 for langevin"""
    pressure_damping: Positive | None = None
    """relaxation time of the barostat [fs]; default: 500 timesteps"""
    stages: StagesConfig = StagesConfig()
    gates: GatesConfig = Field(default=GatesConfig(), json_schema_extra=FREE)
    frames: FramesConfig | None = Field(default=FramesConfig(), json_schema_extra=FREE)
    """the structures that are kept and labelled; null: none"""
    analysis: AnalysisConfig = Field(default=AnalysisConfig(), json_schema_extra=FREE)
    capture: CaptureConfig | None = Field(default=None, json_schema_extra=FREE)
    """frames to keep where the model may be off, `captured.<walker>.extxyz` of each stage; null: none"""
    stop: StopConfig | None = Field(default=None, json_schema_extra=FREE)
    """when the run ends because the model may be off; null: never"""
    seed: Seed = 1
    """seed for velocities, random forces and the choice of frames"""
    walkers: Annotated[int, Field(ge=1, le=10_000)] = 1
    """simulations that share one bias; every other one starts from the liquid"""

    @model_validator(mode="after")
    def _temperatures_fit(self) -> MomtConfig:
        low, high = self.temperatures
        if not low < high:
            raise ValueError(f"`temperatures` must be [lowest, highest], got [{low:g}, {high:g}]")
        if not low <= self.reference_temperature <= high:
            raise ValueError(f"`temperature` ({self.temperature:g} K) must lie within [{low:g}, {high:g}] K")
        melt = self.stages.melt_temperature
        if melt is not None and melt < high:
            raise ValueError(
                f"stages.melt_temperature ({melt:g} K) must not be below {high:g} K, the highest temperature"
            )
        return self

    @model_validator(mode="after")
    def _barostat_fits(self) -> MomtConfig:
        if self.pressure is None:
            for name in ("coupling", "pressure_damping"):
                if name in self.model_fields_set and getattr(self, name) is not None:
                    raise ValueError(f"`{name}` is of the barostat; it needs a `pressure`")
        return self

    @model_validator(mode="after")
    def _bias_fits(self) -> MomtConfig:
        self.bias.check(self.ensemble_temperatures, has_order=self.has_order)
        return self

    @model_validator(mode="after")
    def _deviates_as_a_model(self) -> MomtConfig:
        require_model(self.potential, self.watched)
        return self

    @property
    def watched(self) -> list[str]:
        """The settings that need a model with deviations, by name."""
        return [name for name in ("capture", "stop") if getattr(self, name) is not None]

    @property
    def reference_temperature(self) -> float:
        """T0 [K], with which the thermostat works."""
        return self.temperature or round(math.sqrt(self.temperatures[0] * self.temperatures[1]), 1)

    @property
    def has_order(self) -> bool:
        """Whether there is an order parameter."""
        return self.order.exists

    @property
    def ensemble_temperatures(self) -> list[float]:
        """The temperatures of the ensemble [K], evenly spaced as in `fix momt`."""
        (low, high), n = self.temperatures, self.n_temperatures - 1
        return [low + (high - low) * k / n for k in range(n + 1)]

    @property
    def chunk_steps(self) -> int:
        """Steps that LAMMPS makes at one start, a multiple of the logs' stride."""
        return self.steps(self.stages.chunk, self.pace)

    @property
    def stride(self) -> int:
        """Steps between candidates for frames, a multiple of the stride of the logs."""
        if self.frames is None:
            return self.pace
        if self.frames.stride is not None:
            return self.pace * max(1, round(self.frames.stride / self.pace))
        least = self.stages.production.min * 1000 / self.timestep * self.walkers
        return self.pace * max(1, int(least / (CANDIDATES * self.frames.wanted * self.pace)))

    def steps(self, picoseconds: float, multiple: int) -> int:
        """Return a time in steps, rounded up to a multiple."""
        # 1e-9: a time that is a whole multiple stays so, whatever its division rounds to
        return multiple * max(1, math.ceil(picoseconds * 1000 / self.timestep / multiple - 1e-9))
