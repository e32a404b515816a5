"""Bond-orientational order."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from unnp.lammps.system_config import Positive
from unnp.workflows.momt.order_parameters.base import Measured


class Q6Order(Measured):
    """Global Steinhardt Q6 of the smoothly counted neighbours; does not depend on the orientation of the crystal."""

    kind: Literal["q6"]
    inner: Positive
    """neighbours up to this distance count in full [A]; the end of the first shell"""
    outer: Positive
    """neighbours beyond this distance do not count [A]; before the second shell"""

    @model_validator(mode="after")
    def _inner_before_outer(self) -> Self:
        if self.inner >= self.outer:
            raise ValueError(f"`inner` ({self.inner:g}) must be smaller than `outer` ({self.outer:g})")
        return self

    def words(self) -> str:
        return f"q6 {self.inner:.10g} {self.outer:.10g}"
