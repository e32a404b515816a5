"""The root of the structure factor."""

from __future__ import annotations

from math import sqrt
from typing import ClassVar, Literal

from ase import Atoms

from unnp.workflows.momt.order_parameters.structure_factor import BraggPeaks


class FkOrder(BraggPeaks):
    """The root of `sk`: the liquid has more of its range, which is what hills (`wt`) and grids (`wl`) need."""

    basin_shares: ClassVar = (0.3, 0.7)

    kind: Literal["fk"]

    def measure(self, atoms: Atoms) -> float:
        return sqrt(super().measure(atoms))
