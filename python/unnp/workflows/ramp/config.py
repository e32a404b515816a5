"""What `unnp ramp` is asked to do: heat a crystal until it melts, and quench the melt."""

from __future__ import annotations

from typing import Annotated, Literal

from ase.data import reference_states
from pydantic import Field, FiniteFloat, model_validator

from unnp.atoms.elements import atomic_number
from unnp.errors import ConfigError
from unnp.lammps.system_config import Positive, RunConfig, Seed

Crystal = Literal["fcc", "hcp", "bcc"]


class RampConfig(RunConfig):
    """A temperature ramp up and down at constant pressure with LAMMPS. Units: A, fs, K, GPa."""

    temperatures: tuple[Positive, Positive, Positive]
    """start, peak and end [K]: heated from the first to the second, quenched to the third"""
    rate: Positive | tuple[Positive, Positive]
    """rate of heating and cooling [K/ps], or [heating, cooling]"""
    pressure: FiniteFloat = 0.0
    """pressure [GPa]"""
    crystal: Crystal | None = None
    """the lattice whose neighbour shells tell solid from liquid (of an ordered alloy: its lattice without regard to
    the elements); default: that of the structure, where it is built from an element"""
    bin: Positive = 25.0
    """width of a temperature bin [K], over which everything is averaged; the slower leg has narrower bins"""
    stride: int = Field(default=50, ge=1)
    """steps between the samples that are averaged"""
    equilibration: Annotated[FiniteFloat, Field(ge=0)] = 2.0
    """time at the start temperature before the ramp [ps]"""
    thermostat: Literal["nose-hoover", "langevin", "csvr"] = "nose-hoover"
    """Nose-Hoover (fix npt), or fix nph with Langevin's or Bussi's stochastic thermostat"""
    coupling: Literal["iso", "aniso", "tri"] = "iso"
    """which changes the cell makes: all directions alike, each on its own, or also the angles"""
    timestep: Positive = 2.0
    """timestep [fs]"""
    temperature_damping: Positive | None = None
    """relaxation time of the thermostat [fs], default 100 timesteps"""
    pressure_damping: Positive | None = None
    """relaxation time of the barostat [fs], default 1000 timesteps"""
    rdf_bins: int = Field(default=200, ge=10, le=100_000)
    """points of the pair distribution g(r), up to the cutoff of the potential"""
    seed: Seed = 1
    """seed for velocities and random forces"""

    @model_validator(mode="after")
    def _goes_up_and_down(self) -> RampConfig:
        start, peak, end = self.temperatures
        if not (start < peak and end < peak):
            raise ValueError(
                f"`temperatures` must be [start, peak, end] with the peak above both, not [{start:g}, {peak:g}, {end:g}]"
            )
        smallest = min(peak - start, peak - end)
        if 3 * self.bin > smallest:
            raise ValueError(
                f"`bin` of {self.bin:g} K leaves fewer than three bins in a leg of {smallest:g} K; "
                f"take at most {smallest / 3:.3g} K"
            )
        if self.bin / max(self.rates) * 1000 / self.timestep < 10 * self.stride:
            raise ValueError(
                f"at {max(self.rates):g} K/ps a bin of {self.bin:g} K lasts "
                f"{self.bin / max(self.rates) * 1000 / self.timestep:.0f} steps, fewer than 10 samples every "
                f"{self.stride} steps: take a slower `rate`, a wider `bin` or a smaller `stride`"
            )
        return self

    @property
    def rates(self) -> tuple[float, float]:
        """Heating and cooling rate [K/ps]."""
        return self.rate if isinstance(self.rate, tuple) else (self.rate, self.rate)


def crystal_of(config: RampConfig) -> Crystal:
    """Return the lattice whose shells are looked at; raise ConfigError where it is neither given nor known."""
    if config.crystal is not None:
        return config.crystal
    structure = config.structure
    lattice = structure.lattice
    if lattice is None and structure.file is None:
        reference = reference_states[atomic_number(str(structure.element))]
        lattice = str(reference["symmetry"]) if reference else None
    for known in ("fcc", "hcp", "bcc"):
        if lattice == known:
            return known
    found = "a structure from a file" if structure.file else f"the lattice {lattice}"
    raise ConfigError(
        f"solid and liquid are told apart by the neighbour shells of fcc, hcp or bcc, and {found} does not say which; "
        "give `crystal: fcc`, `hcp` or `bcc` (of an ordered alloy its lattice without regard to the elements)."
    )
