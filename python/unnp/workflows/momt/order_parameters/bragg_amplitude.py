"""The root of the structure factor."""

from __future__ import annotations

from typing import ClassVar, Literal

from unnp.workflows.momt.order_parameters.structure_factor import BraggPeaks


class FkOrder(BraggPeaks):
    """The root of `sk`: the liquid has more of its range, which is what hills (`wt`) and grids (`wl`) need."""

    basin_shares: ClassVar = (0.3, 0.7)

    kind: Literal["fk"]
