"""Number of neighbours."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from unnp.lammps.system_config import Positive
from unnp.workflows.momt.order_parameters.base import Measured


class CnOrder(Measured):
    """Mean number of smoothly counted neighbours."""

    kind: Literal["cn"]
    inner: Positive
    """neighbours up to this distance count in full [A]"""
    outer: Positive
    """neighbours beyond this distance do not count [A]"""

    @model_validator(mode="after")
    def _inner_before_outer(self) -> Self:
        if self.inner >= self.outer:
            raise ValueError(f"`inner` ({self.inner:g}) must be smaller than `outer` ({self.outer:g})")
        return self

    def words(self) -> str:
        return f"cn {self.inner:.10g} {self.outer:.10g}"
