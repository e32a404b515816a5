"""The recipe of a set of structures, as it stands in a YAML file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    JsonValue,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from unnp.config import Config
from unnp.data.generation.mixture import Mixture, Symbols
from unnp.data.limits import FrameLimits
from unnp.data.splits import check_fractions
from unnp.errors import UnnpError

Repeat = tuple[PositiveInt, PositiveInt, PositiveInt]
Prototype = Literal["fcc", "bcc", "hcp", "diamond", "sc", "rocksalt", "zincblende", "cesiumchloride", "fluorite"]


class Base(Config):
    """A crystal that structures are made from: a prototype with its lattice constant, or a file."""

    prototype: Prototype | None = None
    """Crystal structure."""
    symbols: str | None = None
    """Elements of the prototype, for instance Al or NaCl."""
    a: PositiveFloat | None = None
    """Lattice constant [A]."""
    c: PositiveFloat | None = None
    """Second lattice constant of hcp [A]."""
    file: str | None = None
    """A file any reader knows, relative to the recipe; its first structure is taken."""
    substitute: dict[str, PositiveFloat] = Field(default_factory=dict)
    """Elements put on all sites at random in these proportions, anew for each structure."""

    @model_validator(mode="after")
    def _one_origin(self) -> Base:
        if (self.file is None) == (self.prototype is None):
            raise ValueError("give either a prototype (with symbols and a) or a file")
        if self.prototype is not None and (self.symbols is None or self.a is None):
            raise ValueError("a prototype needs symbols and the lattice constant a")
        return self


class SampleBase(Config):
    """What all kinds of samples have in common."""

    base: str | None = None
    """Name of the crystal; may be left out where there is only one."""
    repeat: Repeat = (1, 1, 1)
    """Unit cells along each lattice vector."""
    group: str | None = None
    """Group of the structures; default: the kind."""


class Solid(SampleBase):
    """Perfect crystals, all lengths times a factor: the energy-volume curve."""

    kind: Literal["solid"]
    scales: list[PositiveFloat] = Field(default=[0.96, 0.98, 1.0, 1.02, 1.04], min_length=1)
    """Factors of the lattice constant."""


class Random(SampleBase):
    """What randomly changed crystals have in common."""

    count: PositiveInt
    """Number of structures."""
    max_strain: NonNegativeFloat = Field(default=0.0, lt=0.5)
    """Strain components are uniform between plus and minus this."""
    displacement: NonNegativeFloat = 0.0
    """Standard deviation of each coordinate of the random displacements [A]."""


class Strained(Random):
    """Crystals under random strain in all six components."""

    kind: Literal["strained"]
    max_strain: PositiveFloat = Field(default=0.05, lt=0.5)


class Rattled(Random):
    """Crystals whose atoms are displaced at random."""

    kind: Literal["rattled"]
    displacement: PositiveFloat = 0.1


class Vacancy(Random):
    """Crystals from which atoms are removed at random."""

    kind: Literal["vacancy"]
    vacancies: PositiveInt = 1
    """Atoms removed."""
    displacement: NonNegativeFloat = 0.05


class Surface(Random):
    """Slabs with vacuum on both sides, periodic in all directions."""

    kind: Literal["surface"]
    miller: tuple[int, int, int] = (1, 1, 1)
    """Indices of the surface."""
    layers: PositiveInt = 6
    """Repeats of the surface cell normal to the surface; `repeat` counts along it (the third number must be 1)."""
    vacuum: PositiveFloat = 6.0
    """Empty length on each side [A]."""
    displacement: NonNegativeFloat = 0.05


class Dynamics(SampleBase):
    """Snapshots of molecular dynamics at constant volume with the pair style of the recipe's calculator."""

    kind: Literal["dynamics", "melt"]
    """melt: the crystal is first melted at `melt_temperature`."""
    temperatures: list[PositiveFloat] = Field(min_length=1)
    """Temperatures of the snapshots [K], one run each."""
    melt_temperature: PositiveFloat | None = None
    """Temperature at which a melt is made [K]; default: three times the temperature."""
    scales: list[PositiveFloat] = Field(default=[1.0], min_length=1)
    """Factors of the lattice constant, one run each."""
    vacancies: NonNegativeInt = 0
    """Atoms removed at random at the start."""
    timestep: PositiveFloat = 0.002
    """Timestep of the dynamics [ps]."""
    equilibration: PositiveFloat = 2.0
    """Time before the first snapshot, and time of melting [ps]."""
    snapshots: PositiveInt = 10
    """Snapshots of each run."""
    interval: PositiveFloat = 0.2
    """Time between snapshots [ps]."""


def _in_order(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] > span[1]:
        raise ValueError(f"the first of two numbers is not above the second, got {list(span)}")
    return span


class Disturbed(Config):
    """Copies of structures that are there, each strained and its atoms displaced at random."""

    kind: Literal["disturbed"]
    files: list[str] = Field(min_length=1)
    """Files any reader knows, or stored data sets, relative to the recipe; their labels are left behind."""
    copies: PositiveInt = 3
    """Copies of each structure."""
    max_strain: NonNegativeFloat = Field(default=0.02, lt=0.5)
    """Strain components are uniform between plus and minus this; only cells with three vectors are strained."""
    displacement: Annotated[tuple[PositiveFloat, PositiveFloat], AfterValidator(_in_order)] = (0.01, 0.12)
    """Standard deviation of each coordinate of the random displacements [A], uniform between these for each copy."""
    group: str | None = None
    """Group of the copies; default: the kind."""


InRadii = Annotated[tuple[PositiveFloat, PositiveFloat], AfterValidator(_in_order)]
"""lowest and highest distance, as parts of the sum of the covalent radii"""


class Pushed(Config):
    """Copies of structures that are there, one atom of each pushed onto another: what dynamics hardly ever shows."""

    kind: Literal["pushed"]
    files: list[str] = Field(min_length=1)
    """Files any reader knows, or stored data sets, relative to the recipe; their labels are left behind."""
    count: PositiveInt
    """Number of copies, each of a structure drawn at random."""
    distances: InRadii = (0.5, 0.8)
    """Distance of the two atoms, uniform between these parts of the sum of their covalent radii."""
    reach: PositiveFloat = 5.0
    """How far from each other the two are before [A]."""
    group: str | None = None
    """Group of the copies; default: the kind."""


class Dimers(Config):
    """Two atoms in empty space, of each pair of elements."""

    kind: Literal["dimers"]
    elements: Symbols = Field(min_length=1)
    """Elements; pairs of the same one are among the pairs."""
    count: PositiveInt = 10
    """Dimers of each pair."""
    distances: InRadii = (0.5, 1.8)
    """Distance of the atoms, uniform between these parts of the sum of their covalent radii."""
    group: str | None = None
    """Group of the dimers; default: the kind."""


Crystalline = Solid | Strained | Rattled | Vacancy | Surface | Dynamics
Baseless = Disturbed | Pushed | Dimers
Sample = Annotated[Crystalline | Baseless | Mixture, Field(discriminator="kind")]
Share = Annotated[float, Field(gt=0, lt=1)] | Literal["rest"]


class Recipe(Config):
    """A set of structures: crystals, what is made of them, and what labels them."""

    bases: dict[str, Base] = Field(default_factory=dict)
    """Crystals by name; mixtures, dimers and copies of structures that are there need none."""
    samples: list[Sample] = Field(min_length=1)
    """Structures that are made, in order."""
    seed: NonNegativeInt = 0
    """The same seed gives the same structures."""
    calculator: dict[str, JsonValue] | None = None
    """What labels the structures and drives the dynamics (see `unnp data label`); null: no labels."""
    limits: FrameLimits | None = None
    """Frames that are left out, counted and said; null: none. `{}` takes the default limits."""
    parts: dict[str, Share] | None = None
    """Parts that the set is divided into, for instance `{train: 0.8, validation: 0.1, test: rest}`: all frames of one run of
    dynamics, and all structures of another sample, stay in one part, and each part gets its share of each group. Null: one
    set."""

    @model_validator(mode="after")
    def _samples_have_what_they_need(self) -> Recipe:
        for k, sample in enumerate(self.samples):
            if problem := self._problem(sample):
                raise ValueError(f"samples.{k}: {problem}")
        return self

    @field_validator("parts")
    @classmethod
    def _parts_are_all(cls, parts: dict[str, Share] | None) -> dict[str, Share] | None:
        if parts is not None:
            try:
                check_fractions(parts)
            except UnnpError as error:
                raise ValueError(str(error)) from None
        return parts

    def base_of(self, sample: Crystalline) -> Base:
        """Return the crystal of a sample."""
        return self.bases[sample.base] if sample.base is not None else next(iter(self.bases.values()))

    def _problem(self, sample: Sample) -> str:
        if isinstance(sample, Baseless):
            return ""
        return self._mixture_problem(sample) if isinstance(sample, Mixture) else self._crystal_problem(sample)

    def _crystal_problem(self, sample: Crystalline) -> str:
        names = ", ".join(self.bases)
        if not self.bases:
            return f"{sample.kind} needs a crystal; name one in bases"
        if sample.base is None and len(self.bases) > 1:
            return f"give base, one of {names}"
        if sample.base is not None and sample.base not in self.bases:
            return f"base '{sample.base}' is none of {names}"
        if isinstance(sample, Dynamics) and (self.calculator or {}).get("kind") != "lammps":
            return f"{sample.kind} needs a calculator of the kind lammps"
        return ""

    def _mixture_problem(self, sample: Mixture) -> str:
        if self.calculator is None:
            return "mixture needs a calculator, which moves and labels the atoms"
        if self.limits is None:
            return "mixture needs limits, as hot dynamics goes astray now and then; `limits: {}` takes the default ones"
        known = self.calculator.get("elements")
        absent = [symbol for symbol in sample.elements if isinstance(known, list) and symbol not in known]
        return f"calculator.elements has no {', '.join(absent)}" if absent else ""
