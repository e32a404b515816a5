"""No order parameter."""

from __future__ import annotations

from typing import ClassVar, Literal

from unnp.workflows.momt.order_parameters.base import OrderParameter


class NoOrder(OrderParameter):
    """No order parameter: multithermal sampling of one phase."""

    exists: ClassVar = False

    kind: Literal["none"]

    def words(self) -> str:
        return "none"

    def basins(self, liquid: float, solid: float) -> tuple[float, float]:
        return 0.0, 0.0
