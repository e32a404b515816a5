"""What `unnp md` is asked to do: structure, potential, ensemble, output."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from unnp.config import Config

Positive = Annotated[FiniteFloat, Field(gt=0)]
Temperature = Annotated[FiniteFloat, Field(ge=0)]
Ensemble = Literal["nve", "nvt", "npt", "nph", "langevin"]

THERMOSTATTED = ("nvt", "npt", "langevin")
BAROSTATTED = ("npt", "nph")


class StructureConfig(Config):
    """Where the atoms come from: a file, or a crystal of one element."""

    file: Path | None = None
    """any file ASE reads; relative to the configuration file"""
    frame: int = -1
    """which frame of the file, -1 for the last"""
    element: str | None = None
    """chemical symbol (or formula of a two-element lattice such as NaCl) of a crystal to build"""
    lattice: str | None = None
    """ASE's name of the crystal structure, fcc, bcc, hcp, diamond, rocksalt ...; default: that of the element"""
    a: Positive | None = None
    """lattice constant [A]; default: that of the element"""
    c: Positive | None = None
    """second lattice constant of hcp and the like [A]"""
    repeat: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (1, 1, 1)
    """copies along the lattice vectors"""

    @model_validator(mode="after")
    def _one_source(self) -> StructureConfig:
        if (self.file is None) == (self.element is None):
            raise ValueError("give either `file`, or `element` with `lattice`, `a` and `repeat`")
        if self.file is not None and (self.lattice or self.a or self.c):
            raise ValueError("`lattice`, `a` and `c` are for a crystal to build; they do not go with `file`")
        return self


class PotentialConfig(Config):
    """An exported model, or the potential commands of LAMMPS."""

    model: Path | None = None
    """file written by `unnp export`; relative to the configuration file"""
    halo: Literal["auto", "exchange", "wide"] = "auto"
    """how a model runs on several ranks"""
    dtype: Literal["model", "float32", "float64"] = "model"
    """number type a model runs in"""
    plugin: Path | None = None
    """plugin file to load first; not needed after `pip install`"""
    pair_style: str | None = None
    """arguments of the LAMMPS command, for instance `eam/fs`"""
    pair_coeff: list[str] = Field(default_factory=list)
    """arguments of each such command; `{elements}` stands for the symbols of types 1, 2, ..."""
    elements: list[str] | None = None
    """chemical symbols of types 1, 2, ...; default: those of the structure by atomic number"""

    @model_validator(mode="after")
    def _one_kind(self) -> PotentialConfig:
        if (self.model is None) == (self.pair_style is None):
            raise ValueError("give either `model`, or `pair_style` with `pair_coeff`")
        if self.pair_style is not None and not self.pair_coeff:
            raise ValueError("`pair_style` needs `pair_coeff`, a list of the arguments of each such command")
        if self.model is not None and self.pair_coeff:
            raise ValueError("`pair_coeff` does not go with `model`, which writes its own")
        return self


class DumpConfig(Config):
    """The trajectory."""

    every: int = Field(default=1000, ge=1)
    """steps between frames"""
    format: Literal["extxyz", "lammpstrj"] = "extxyz"
    """extxyz is read by ASE and OVITO, lammpstrj is LAMMPS' own text"""


class MdConfig(Config):
    """A molecular dynamics run with LAMMPS. Units: A, fs, K, GPa."""

    structure: StructureConfig
    potential: PotentialConfig
    ensemble: Ensemble = "nvt"
    """nve, nvt and npt (Nose-Hoover), nph, or langevin"""
    temperature: Temperature | tuple[Temperature, Temperature]
    """[K], or [start, end] of a ramp; without a thermostat the temperature the velocities start with"""
    pressure: FiniteFloat | tuple[FiniteFloat, FiniteFloat] | None = None
    """[GPa], or [start, end]; for npt and nph, default 0"""
    coupling: Literal["iso", "aniso", "tri"] | None = None
    """which cell changes npt and nph make: all directions alike (default), each on its own, or also the angles"""
    steps: int = Field(ge=1)
    timestep: Positive = 1.0
    """[fs]"""
    temperature_damping: Positive | None = None
    """relaxation time of the thermostat [fs], default 100 timesteps"""
    pressure_damping: Positive | None = None
    """relaxation time of the barostat [fs], default 1000 timesteps"""
    seed: int = Field(default=1, ge=1, le=899_999_999)
    """of velocities and random forces"""
    minimise: bool = False
    """relax the atoms in the given cell before the dynamics"""
    thermo: int = Field(default=100, ge=1)
    """steps between rows of the table of temperature, pressure and energies"""
    dump: DumpConfig | None = DumpConfig()
    """the trajectory; null for none"""
    restart: int = Field(default=10_000, ge=1)
    """steps between restart files, from which `--resume` goes on"""
    ranks: int = Field(default=1, ge=1)
    """MPI processes"""
    threads: int = Field(default=1, ge=1)
    """threads of each process"""
    device: str = "auto"
    """where a model runs: auto, cpu, cuda or cuda:N"""
    launcher: str = "mpirun -n {ranks}"
    """starts the processes; on a cluster for instance `srun -n {ranks}`; empty starts LAMMPS alone"""
    lmp: str = "lmp"
    """name or path of LAMMPS"""

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
