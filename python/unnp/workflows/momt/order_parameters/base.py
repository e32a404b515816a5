"""What an order parameter is to the rest of a run."""

from __future__ import annotations

from typing import ClassVar, Self

from ase import Atoms
from pydantic import FiniteFloat, model_validator

from unnp.config import Config
from unnp.lammps.system_config import StructureConfig


class OrderParameter(Config):
    """The keyword ``order`` of `fix momt` as settings.

    A new order parameter is one file of this folder, with a subclass of ``Measured`` whose ``kind`` is the word of the
    fix, beside one file of `lammps_plugin/momt/order_parameters`.
    """

    exists: ClassVar[bool] = True
    """Whether anything is measured."""

    kind: str

    def words(self) -> str:
        """Return what follows ``order`` in the command."""
        raise NotImplementedError

    def keywords(self) -> list[str]:
        """Return all keywords of the command that the order parameter decides."""
        return [f"order {self.words()}"]

    def barostat_words(self) -> list[str]:
        """Return what a barostat that tilts the cell has to be given so that the order parameter stays itself."""
        return []

    def settled(self, structure: StructureConfig, atoms: Atoms) -> Self:
        """Return the order parameter with its defaults filled in, after a look at the crystal.

        Args:
            structure: as configured.
            atoms: the crystal the run begins with.

        Raises:
            ConfigError: something is not known, or the order parameter does not see the crystal.
        """
        return self

    def basins(self, liquid: float, solid: float) -> tuple[float, float]:
        """Return up to which s it is liquid and from which on solid.

        Args:
            liquid, solid: mean s of both.
        """
        raise NotImplementedError


class Measured(OrderParameter):
    """What all order parameters but none have in common."""

    basin_shares: ClassVar[tuple[float, float]] = (0.1, 0.5)
    """share of the way from the liquid's mean to the solid's up to which it is liquid, and from which it is solid"""

    range: tuple[FiniteFloat, FiniteFloat] | None = None
    """smallest and largest value that is biased; default: that of `fix momt`"""

    @model_validator(mode="after")
    def _range_has_a_width(self) -> Self:
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError(f"`range` must be [smaller, larger], got {list(self.range)}")
        return self

    def keywords(self) -> list[str]:
        given = [] if self.range is None else ["range {:.10g} {:.10g}".format(*self.range)]
        return [*super().keywords(), *given]

    def basins(self, liquid: float, solid: float) -> tuple[float, float]:
        below, above = (liquid + share * (solid - liquid) for share in self.basin_shares)
        return below, above
