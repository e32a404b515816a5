"""How a path of lowest energy is looked for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from unnp.config.resume import FREE
from unnp.workflows.relaxation.config import SearchConfig


class NebConfig(SearchConfig):
    """A nudged elastic band: its images, its springs, and where the search ends."""

    optimiser: Literal["bfgs", "lbfgs", "fire", "lammps"] = "bfgs"
    """an optimiser of ASE, or `lammps`, LAMMPS' own `neb`: all images at once, each on ranks of its own"""
    max_force: Annotated[FiniteFloat, Field(gt=0)] = 0.05
    """largest force left on an atom of an image [eV/A], across the path and of the springs; of the ends, of the potential"""
    images: Annotated[int, Field(ge=1, le=200)] = 5
    """images between two ends; a path that is given keeps its own"""
    interpolation: Literal["idpp", "linear"] = "idpp"
    """how images are set between two ends: so that distances change evenly (`idpp`), or positions do"""
    climb: bool = True
    """whether the highest image climbs to the saddle point"""
    spring: Annotated[FiniteFloat, Field(gt=0, le=1000)] = 0.1
    """constant of the springs between images [eV/A^2]"""
    relax_ends: bool = True
    """whether the ends are relaxed first"""
    divide: Annotated[int, Field(ge=0, le=5, json_schema_extra=FREE)] = 0
    """how often a path is divided at minima on it: they are relaxed, and the parts between them looked for by themselves"""
