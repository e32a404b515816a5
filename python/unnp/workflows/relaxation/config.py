"""How a minimum of the energy is looked for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from unnp.config import Config
from unnp.config.resume import FREE

LAMMPS = "lammps"
"""The optimiser that is LAMMPS' own."""


class SearchConfig(Config):
    """An optimiser and where it ends."""

    optimiser: Literal["bfgs", "lbfgs", "fire", "lammps"] = "bfgs"
    """an optimiser of ASE, or `lammps`, the conjugate gradients of LAMMPS on any number of ranks"""
    max_force: Annotated[FiniteFloat, Field(gt=0)] = 0.01
    """largest force left [eV/A]; where the cell relaxes, its stress times volume per atom [eV] counts as one"""
    max_steps: Annotated[int, Field(ge=0, le=1_000_000)] = Field(default=500, json_schema_extra=FREE)
    """steps after which a search ends without a minimum"""


class MinimiserConfig(SearchConfig):
    """An optimiser of ASE and where it ends."""

    optimiser: Literal["bfgs", "lbfgs", "fire"] = "bfgs"
    """`bfgs` takes the fewest steps; `lbfgs` needs less memory above some hundred atoms; `fire` is slow and forgiving"""


class RelaxationConfig(SearchConfig):
    """How structures are relaxed."""

    cell: Literal["none", "volume", "all"] = "none"
    """what of the cell relaxes with the atoms: nothing, its volume alone, or all of it"""
