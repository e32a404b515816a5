"""Mode wt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, PositiveInt

from unnp.lammps.system_config import Positive
from unnp.workflows.momt.basins import Basins
from unnp.workflows.momt.bias_modes.base import BiasMode, Profile, free_energies, given_words, of_temperatures

FILLED = 0.05
"""Share of the highest hills from which on a place counts for the drift."""


class WtBias(BiasMode):
    """OPES in the enthalpy, well-tempered hills along the order parameter."""

    kind: Literal["wt"]
    observe: PositiveInt | None = None
    """updates before the bias of the enthalpy begins to act; default: that of `fix momt`"""
    height: Positive | None = None
    """height of the first hills [eV]; default: that of `fix momt`"""
    gamma: Annotated[float, Field(gt=1)] | None = None
    """bias factor of the hills; default: that of `fix momt`"""
    sigma: Positive | None = None
    """width of the hills along the order parameter; default: that of `fix momt`"""

    def words(self, basins: Basins) -> list[str]:
        return given_words({name: getattr(self, name) for name in ("observe", "height", "gamma", "sigma")})

    def check(self, temperatures: Sequence[float], *, has_order: bool) -> None:
        if not has_order:
            raise ValueError("bias wt puts hills on an order parameter; with order none use opes or wl")

    @staticmethod
    def profiles(bias: dict[str, Any], b0: float) -> list[Profile]:
        """Return the mean hills, where there are any, of which a frozen bias consists, and the temperatures."""
        hills = b0 * np.array(bias["hills"]["mean_potential"], dtype=float)
        filled = hills > FILLED * hills.max(initial=0.0)
        return [Profile(hills, filled), of_temperatures(free_energies(bias["temperatures"], b0))]
