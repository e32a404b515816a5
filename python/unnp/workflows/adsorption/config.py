"""Settings of the adsorption test: potentials, surface, molecule, and where its broken bond leads."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, NonNegativeInt, PositiveInt, model_validator

from unnp.adapters.potentials import PotentialFile
from unnp.atoms.outputs import Name
from unnp.config import Config
from unnp.config.resume import FREE
from unnp.workflows.neb.config import NebConfig
from unnp.workflows.relaxation.config import MinimiserConfig
from unnp.workflows.surfaces.crystal_config import CrystalConfig, Indices, Length


class Placed(Config):
    """An atom of the molecule on the surface."""

    symbol: str
    """chemical symbol"""
    at: tuple[FiniteFloat, FiniteFloat, FiniteFloat]
    """from an atom of the uppermost layer: along both vectors of the surface's cell, in their lengths; above it [A]"""


class SurfaceConfig(CrystalConfig):
    """A slab, cut from a crystal as each potential relaxes it; its lower part stays."""

    element: str | None = "Co"
    """chemical symbol; with a `crystal` none"""
    plane: Indices = (0, 0, 1)
    """three Miller indices in the conventional cell, of a hexagonal one three or four"""
    repeat: tuple[PositiveInt, PositiveInt] = (2, 2)
    """cells of the surface along both vectors"""
    thickness: Length = 7.0
    """of the slab, at least [A]"""
    vacuum: Length = 14.0
    """between the slab and its image, molecule included [A]; 5 A above the molecule are left empty at least"""
    free: Length = 3.0
    """atoms that lie no deeper than this below the uppermost move [A]"""

    @model_validator(mode="before")
    @classmethod
    def _no_element_beside_a_crystal(cls, given: Any) -> Any:
        """Return the settings without the element of the default where they name a crystal."""
        named = isinstance(given, dict) and given.get("crystal") is not None
        return {"element": None, **given} if named else given


COH = [
    Placed(symbol="C", at=(1 / 3, 2 / 3, 1.15)),
    Placed(symbol="O", at=(1 / 3, 2 / 3, 2.48)),
    Placed(symbol="H", at=(1 / 3 + 0.36, 2 / 3, 2.80)),
]
C_AND_OH = [
    Placed(symbol="C", at=(1 / 3, 2 / 3, 1.05)),
    Placed(symbol="O", at=(-1 / 3, 4 / 3, 1.35)),
    Placed(symbol="H", at=(-1 / 3, 4 / 3, 2.32)),
]


class StatesConfig(MinimiserConfig):
    """How atoms are relaxed in this test."""

    max_force: Annotated[FiniteFloat, Field(gt=0)] = 0.03
    """largest force left [eV/A]"""


class PathConfig(NebConfig):
    """How the path is looked for in this test."""

    optimiser: Literal["bfgs", "lbfgs", "fire"] = "fire"
    """an optimiser of ASE; `bfgs` takes fewer steps where the path is short, and may leave it where bonds break"""
    max_force: Annotated[FiniteFloat, Field(gt=0)] = 0.1
    """largest force left on an atom of an image [eV/A]"""
    max_steps: Annotated[int, Field(ge=0, le=1_000_000)] = Field(default=1000, json_schema_extra=FREE)
    """steps after which the search ends"""
    divide: Annotated[int, Field(ge=0, le=5, json_schema_extra=FREE)] = 1
    """how often the path is divided at minima on it, each part a band of its own"""


class Reference(Config):
    """Published numbers that the path is compared with."""

    name: str = "DFT"
    """whose they are"""
    forward: FiniteFloat = 0.80
    """barrier [eV]"""
    back: FiniteFloat = 1.81
    """barrier [eV]"""
    reaction: FiniteFloat = -1.01
    """energy [eV]"""


class AdsorptionConfig(Config):
    """The test of one molecule on one surface; the defaults are COH on Co(0001)."""

    potentials: dict[Name, PotentialFile] = Field(min_length=1, json_schema_extra=FREE)
    """potentials by name"""
    surface: SurfaceConfig = SurfaceConfig()
    """the slab"""
    molecule: list[Placed] = Field(default=COH, min_length=1)
    """the molecule where it is adsorbed; default: COH above a hollow"""
    dissociated: list[Placed] | None = C_AND_OH
    """the same atoms in the same order with a broken bond, where the path leads; null: no path"""
    shaken: NonNegativeInt = 2
    """further starts: the adsorbed state at rest, its free atoms displaced"""
    shake: Annotated[FiniteFloat, Field(gt=0, le=1)] = 0.15
    """standard deviation of each coordinate of these displacements [A]"""
    seed: NonNegativeInt = 0
    """of the displacements"""
    relax: StatesConfig = StatesConfig()
    """how the atoms are relaxed"""
    path: PathConfig = PathConfig()
    """how the path is looked for"""
    reference: Reference | None = Field(default=Reference(), json_schema_extra=FREE)
    """what barriers are compared with; null: nothing"""
    device: str = Field(default="auto", json_schema_extra=FREE)
    """where models run: auto, cpu, cuda or cuda:N"""

    @model_validator(mode="after")
    def _same_atoms(self) -> AdsorptionConfig:
        if self.dissociated is not None and _symbols(self.dissociated) != _symbols(self.molecule):
            raise ValueError(
                f"`dissociated` is {' '.join(_symbols(self.dissociated))}, `molecule` {' '.join(_symbols(self.molecule))}: "
                "give the same atoms in the same order, or null"
            )
        return self


def _symbols(placed: list[Placed]) -> list[str]:
    return [atom.symbol for atom in placed]
