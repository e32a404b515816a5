"""Settings of a crystal from which slabs are cut, and of planes in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from unnp.config import Config

LARGEST_INDEX = 3
Length = Annotated[FiniteFloat, Field(gt=0, le=500)]


def _some_plane(indices: tuple[int, ...]) -> tuple[int, ...]:
    """Return the indices of a plane; raise ValueError where they are those of none."""
    given = f"[{', '.join(map(str, indices))}]"
    if len(indices) not in (3, 4):
        raise ValueError(f"{given}: a plane has three indices [h, k, l], of a hexagonal crystal also four [h, k, i, l]")
    h, k, *i, l = indices  # noqa: E741
    if max(map(abs, (h, k, l))) > LARGEST_INDEX:
        raise ValueError(f"{given}: indices h, k and l lie between -{LARGEST_INDEX} and {LARGEST_INDEX}")
    if i and i[0] != -(h + k):
        raise ValueError(f"{given}: the third of four indices is -(h + k): write [{h}, {k}, {-(h + k)}, {l}]")
    if not (h or k or l):
        raise ValueError(f"{given} is no plane; give at least one index that is not 0, such as [0, 0, 1]")
    return indices


Indices = Annotated[tuple[int, ...], AfterValidator(_some_plane)]
"""Miller indices (h, k, l), or (h, k, i, l) in a hexagonal cell with ``i = -(h + k)``."""


class CrystalConfig(Config):
    """A crystal: of an element in a lattice, or from a file."""

    element: str | None = None
    """chemical symbol, or formula of a compound in a `lattice` such as rocksalt"""
    lattice: str | None = None
    """fcc, bcc, hcp, diamond, sc, bct, rocksalt ...; default: that of the element"""
    a: Length | None = None
    """lattice constant to begin with [A]; default: that of the element"""
    c: Length | None = None
    """second lattice constant of hcp and the like [A]"""
    crystal: Path | None = None
    """instead of these: a structure file with the crystal in its conventional cell; of several frames the last"""
    primitive: bool = False
    """take a `crystal` in the primitive cell of a centred lattice as it is: Miller indices then count in that cell"""

    @model_validator(mode="after")
    def _one_crystal(self) -> CrystalConfig:
        if (self.element is None) == (self.crystal is None):
            raise ValueError("give either `element`, with `lattice`, `a` and `c`, or `crystal`, a structure file")
        if self.crystal is not None and (self.lattice or self.a or self.c):
            raise ValueError("`lattice`, `a` and `c` go with `element`; the `crystal` of a file has its own")
        if self.primitive and self.crystal is None:
            raise ValueError(
                "`primitive` goes with `crystal`, a structure file; an `element` has its conventional cell"
            )
        return self

    @property
    def name(self) -> str:
        """For people: name of the file, or element and lattice."""
        if self.crystal is not None:
            return self.crystal.name
        return f"{self.element} {self.lattice}" if self.lattice else str(self.element)
