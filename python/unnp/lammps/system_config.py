"""What a LAMMPS run is about: the atoms, the potential, and how LAMMPS is started."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from unnp.adapters.dispersion import D3Config
from unnp.atoms.elements import atomic_number
from unnp.atoms.outputs import Name
from unnp.config import Config
from unnp.config.texts import Arguments
from unnp.errors import UnnpError
from unnp.lammps.launch import Launch

Positive = Annotated[FiniteFloat, Field(gt=0)]

Seed = Annotated[int, Field(ge=1, le=99_999_999)]
"""A seed, with room for those that a run derives from it: LAMMPS takes numbers up to 900 million."""


class FixedConfig(Config):
    """Which atoms of a structure do not move: those that any of these settings names."""

    tags: list[int] = Field(default_factory=list)
    """tags of the atoms that do not move"""
    elements: list[str] = Field(default_factory=list)
    """elements that do not move"""
    below: FiniteFloat | None = None
    """height [A] below which atoms do not move: they have a smaller z"""
    above: FiniteFloat | None = None
    """height [A] above which atoms do not move: they have a larger z"""

    @model_validator(mode="after")
    def _names_some(self) -> FixedConfig:
        if not (self.tags or self.elements) and self.below is None and self.above is None:
            raise ValueError("give `tags`, `elements`, `below` or `above`")
        try:
            for symbol in self.elements:
                atomic_number(symbol)
        except UnnpError as error:
            raise ValueError(str(error)) from None
        return self


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
    fixed: Literal["file", "none"] | list[int] | FixedConfig | None = "file"
    """atoms that do not move: those that the file says, `none`, a list of atoms (counted from 0), or a table of `tags`,
    `elements`, `below` and `above`; chosen before the structure is repeated"""

    @model_validator(mode="after")
    def _one_source(self) -> StructureConfig:
        if (self.file is None) == (self.element is None):
            raise ValueError("give either `file`, or `element` with `lattice`, `a` and `repeat`")
        if self.file is None and self.fixed not in ("file", "none", None):
            raise ValueError("`fixed` is for the atoms of a `file`")
        if self.file is not None and (self.lattice or self.a or self.c):
            raise ValueError("`lattice`, `a` and `c` are for a crystal to build; they do not go with `file`")
        return self


class InteractionConfig(Config):
    """An exported model, the potential commands of LAMMPS, or a potential of OpenKIM."""

    model: Path | None = None
    """file written by `unnp export`; relative to the configuration file"""
    head: Name | None = None
    """level of theory of a model, by name; default: its first"""
    last_layer: Path | None = None
    """file of `unnp last-layer` for a model; what watches deviations then takes them from it, not from a committee"""
    halo: Literal["auto", "exchange", "wide"] = "auto"
    """how a model runs on several ranks"""
    dtype: Literal["model", "float32", "float64"] = "model"
    """number type a model runs in"""
    d3: D3Config | None = None
    """Grimme's dispersion correction on top of a model, by LAMMPS' dispersion/d3; `{}` takes its defaults"""
    plugin: Path | None = None
    """plugin file to load first; not needed after `pip install`"""
    pair_style: Arguments | None = None
    """arguments of LAMMPS' `pair_style`, for instance `eam/fs`"""
    pair_coeff: list[Arguments] = Field(default_factory=list)
    """arguments of each `pair_coeff` command; `{elements}` stands for the symbols of types 1, 2, ..."""
    pair_modify: list[Arguments] = Field(default_factory=list)
    """arguments of each `pair_modify` command"""
    kim: str | None = None
    """name of an installed OpenKIM model with EAM tables, see `unnp kim list`"""
    elements: list[str] | None = None
    """chemical symbols of types 1, 2, ...; default: those of the structure by atomic number"""

    @model_validator(mode="after")
    def _one_kind(self) -> InteractionConfig:
        if sum(source is not None for source in (self.model, self.pair_style, self.kim)) != 1:
            raise ValueError("give either `model`, or `pair_style` with `pair_coeff`, or `kim`")
        if self.pair_style is not None and not self.pair_coeff:
            raise ValueError("`pair_style` needs `pair_coeff`, a list of the arguments of each such command")
        if self.head is not None and self.model is None:
            raise ValueError("`head` chooses a level of theory of a `model`")
        if self.last_layer is not None and self.model is None:
            raise ValueError("`last_layer` is of a `model`")
        if self.d3 is not None and self.model is None:
            raise ValueError("`d3` goes on top of a `model`; write `pair_style: hybrid/overlay ...` for others")
        for name in ("pair_coeff", "pair_modify"):
            if self.pair_style is None and getattr(self, name):
                raise ValueError(
                    f"`{name}` does not go with `{'model' if self.model else 'kim'}`, which writes its own commands"
                )
        return self


class RunConfig(Launch):
    """What the configurations of all runs with LAMMPS hold."""

    structure: StructureConfig
    potential: InteractionConfig
