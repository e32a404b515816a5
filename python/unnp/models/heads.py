"""Heads: the levels of theory that a potential knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, FiniteFloat

from unnp.atoms.outputs import Name
from unnp.config import Config

DEFAULT_HEAD = "default"


class HeadDescription(Config):
    """What a head is built from, beside its weights."""

    name: Name
    """name by which the head is chosen"""
    energy_scale: float = Field(gt=0, allow_inf_nan=False, strict=True)
    """unit of the network's energies [eV]"""
    reference_energies: dict[str, FiniteFloat]
    """energy of each element's isolated (or fitted) atom [eV]"""
    groups: list[str]
    """groups in the training data that the head learns from"""

    def head(self) -> Head:
        """Return the head."""
        return Head(self.energy_scale, self.reference_energies, self.name, tuple(self.groups))


@dataclass(frozen=True)
class Head:
    """A level of theory: what its energies are counted from, and in.

    Attributes:
        energy_scale: unit of the network's energies [eV]; the root mean square of the force components times 1 A.
        reference_energies: energy [eV] of one isolated atom of each element.
        name: name by which the head is chosen.
        groups: groups in the training data that it learns from; none where it was not trained.
    """

    energy_scale: float
    reference_energies: Mapping[str, float]
    name: str = DEFAULT_HEAD
    groups: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """Return what the constructor takes, as JSON."""
        return {
            "name": self.name,
            "energy_scale": self.energy_scale,
            "reference_energies": dict(self.reference_energies),
            "groups": list(self.groups),
        }
