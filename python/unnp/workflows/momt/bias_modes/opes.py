"""Mode opes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, FiniteFloat, PositiveInt, model_validator

from unnp.lammps.system_config import Positive
from unnp.sampling.reweighting import log_sum_exp
from unnp.workflows.momt.basins import Basins
from unnp.workflows.momt.bias_modes.base import BiasMode, Profile, free_energies, given_words, of_temperatures

REACHABLE = 15.0
"""Free energy [k T0] above the lowest up to which order parameters count for the drift."""


class OpesBias(BiasMode):
    """OPES: the weights of many temperatures and umbrellas, from free energies learnt on the way."""

    kind: Literal["opes"]
    barrier: Positive | None = None
    """first guess of the free energy of umbrellas that were not seen yet, in k T0; default: that of `fix momt`"""
    observe: PositiveInt | None = None
    """updates before the bias begins to act; default: that of `fix momt`"""
    memory: Annotated[FiniteFloat, Field(ge=0)] | None = None
    """updates that the free energies remember for each passage made so far, 0 for all; default: that of `fix momt`"""
    sigma: Positive | None = None
    """width of the umbrellas along the order parameter; default: that of `fix momt`"""
    free: Annotated[FiniteFloat, Field(ge=0, lt=1)] | None = None
    """share of the samples for solid and liquid as they are, without umbrella; default: that of `fix momt`"""
    bridge: tuple[Positive, Positive] | None = None
    """temperatures between which there are umbrellas [K]; default: that of `fix momt`, from T0 up"""

    @model_validator(mode="after")
    def _bridge_in_order(self) -> Self:
        if self.bridge is not None and self.bridge[0] > self.bridge[1]:
            raise ValueError(f"`bridge` must be [lower, higher], got {list(self.bridge)}")
        return self

    def words(self, basins: Basins) -> list[str]:
        given = {name: getattr(self, name) for name in ("barrier", "observe", "memory", "sigma", "free")}
        bridge = [] if self.bridge is None else ["bridge {:.10g} {:.10g}".format(*self.bridge)]
        return [*given_words(given), *bridge]

    def check(self, temperatures: Sequence[float], *, has_order: bool) -> None:
        if self.bridge is None:
            return
        low, high = self.bridge
        bridged = [t for t in temperatures if low <= t <= high]
        if not bridged:
            listed = ", ".join(f"{t:.0f}" for t in temperatures)
            raise ValueError(f"`bias.bridge` [{low:g}, {high:g}] holds none of the temperatures, which are {listed} K")
        if self.free == 0 and len(bridged) < len(temperatures):
            raise ValueError(
                "with `bias.free` 0 temperatures outside `bias.bridge` get no samples; give `free` above 0"
            )

    @staticmethod
    def profiles(bias: dict[str, Any], b0: float) -> list[Profile]:
        """Return those of the umbrellas that can be reached, and of the temperatures, each summed over the other.

        The ensembles l = (T, umbrella) have ``exp(-b0 DF_l) = Z_l / Z_0``.
        """
        rows, n_umbrellas = free_energies(bias, b0), len(bias["umbrellas"])
        if not n_umbrellas:
            return [of_temperatures(rows)]
        bridges = np.array([row[:n_umbrellas] for row in rows if len(row) >= n_umbrellas])
        umbrellas = np.array([-log_sum_exp(-column) for column in bridges.T])
        return [Profile(umbrellas, umbrellas < umbrellas.min() + REACHABLE), of_temperatures(rows)]
