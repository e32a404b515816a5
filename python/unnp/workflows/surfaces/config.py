"""Settings of surface energies: potentials, slabs, and what they are compared with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, model_validator

from unnp.adapters.potentials import PotentialFile
from unnp.atoms.outputs import Name
from unnp.config import Config
from unnp.config.resume import FREE
from unnp.data.readers import ReadOptions
from unnp.workflows.relaxation.config import MinimiserConfig
from unnp.workflows.surfaces.crystal_config import LARGEST_INDEX, CrystalConfig, Indices, Length

LABELS = "labels"


class BulkFile(Config):
    """A crystal that slabs are compared with."""

    file: Path
    """structure file or stored data set; relative to the configuration file"""
    frame: NonNegativeInt = 0
    """which frame of the file, from 0"""


class SlabsInFiles(Config):
    """Slabs from files; where they are labelled, with energies to compare with."""

    kind: Literal["files"]
    files: list[Path] = Field(min_length=1)
    """structure files and stored data sets; relative to the configuration file"""
    groups: list[str] = Field(default_factory=list)
    """groups in which slabs are; default: in all"""
    vacuum: Length = 5.0
    """a slab is a frame with an empty layer of this thickness [A] along one lattice vector"""
    bulk: BulkFile | None = None
    """the crystal of the slabs; default: of the same formula, the frame without an empty layer that has the lowest label"""
    read: ReadOptions = ReadOptions(required=("energy",), missing="allow")
    """how the files are read"""


class MadeSlabs(CrystalConfig):
    """Slabs cut from a crystal, as each potential relaxes it."""

    kind: Literal["made"]
    planes: list[Indices] = Field(default_factory=list)
    """three Miller indices in the conventional cell, of a hexagonal one three or four"""
    up_to: Annotated[int, Field(ge=1, le=LARGEST_INDEX)] | None = None
    """instead of `planes`: all that symmetry tells apart, with indices up to this"""
    thickness: Length = 12.0
    """of the slab, at least [A]"""
    vacuum: Length = 12.0
    """between a slab and its image [A]"""

    @model_validator(mode="after")
    def _some_planes(self) -> MadeSlabs:
        if bool(self.planes) == (self.up_to is not None):
            raise ValueError("give either `planes`, a list such as [[1, 1, 1], [2, 1, 0]], or `up_to`")
        return self


class TrainedPotential(PotentialFile):
    """A potential in a file, or one of several files, for each substance its own; and what it has learnt from."""

    learnt: list[Path] = Field(default_factory=list)
    """with `features`: structure files and stored data sets that it has learnt from, for errors over the distance to these"""


class SurfacesConfig(Config):
    """Surface energies of potentials."""

    potentials: dict[Name, TrainedPotential] = Field(min_length=1, json_schema_extra=FREE)
    """potentials by name"""
    slabs: list[Annotated[SlabsInFiles | MadeSlabs, Field(discriminator="kind")]] = Field(min_length=1)
    """slabs from files (`kind: files`), or made (`kind: made`)"""
    reference: str | None = Field(default=LABELS, json_schema_extra=FREE)
    """what they are compared with: `labels`, the name of a potential, or null for nothing"""
    relax: MinimiserConfig | None = MinimiserConfig()
    """how the atoms of slabs are relaxed, in cells that stay; null: they are not"""
    features: Path | None = Field(default=None, json_schema_extra=FREE)
    """exported model that knows all elements, by whose features slabs are put on a map; null: no map"""
    device: str = Field(default="auto", json_schema_extra=FREE)
    """where models run: auto, cpu, cuda or cuda:N"""

    @model_validator(mode="after")
    def _consistent(self) -> SurfacesConfig:
        if LABELS in self.potentials:
            raise ValueError(f"`potentials`: '{LABELS}' is the name of the labels; give another")
        if self.reference not in (None, LABELS, *self.potentials):
            raise ValueError(f"`reference` is {LABELS}, null, or one of {', '.join(self.potentials)}")
        if self.reference == LABELS and any(isinstance(slabs, MadeSlabs) for slabs in self.slabs):
            raise ValueError("slabs that are made have no labels; name a potential as the `reference`, or null")
        if self.features is None and (name := next((key for key, each in self.potentials.items() if each.learnt), "")):
            raise ValueError(f"`potentials.{name}.learnt` needs `features`, a model by which structures are compared")
        return self
