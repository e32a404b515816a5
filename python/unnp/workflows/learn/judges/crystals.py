"""Relaxed crystals of the model beside those of a reference: what no error of forces says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, PositiveFloat

from unnp.adapters.ase import UnnpCalculator
from unnp.adapters.opening import known_elements, open_calculator
from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.errors import ConfigError, ModelError
from unnp.workflows.crystals.judge import Comparison, judge, numbers_of
from unnp.workflows.crystals.prototypes import CrystalSpec, parse_specs, parse_words
from unnp.workflows.crystals.reference import given_crystals, is_table, load_reference
from unnp.workflows.crystals.relaxation import Settings, relax_crystals
from unnp.workflows.learn.judges.base import Judge, Numbers, Shown, register
from unnp.workflows.learn.situation import Situation

UNITS = {"energy": 1000.0, "above_lowest": 1000.0, "bond": 1.0, "volume": 1.0}
"""Differences that are given, and what makes their units those of the error tables: meV/atom, A, A^3."""


class CrystalsConfig(Config):
    """Crystals relaxed by the model, beside those of a potential or of a table, as `unnp crystals` has them."""

    reference: str
    """Calculator file or model that relaxes the same crystals, once; or a table: YAML, CSV, a `crystals.json`."""
    crystals: list[str] = Field(default=["fcc", "bcc", "hcp"], min_length=1)
    """Crystals as words of `unnp crystals -x`: `fcc`, `hcp@sqrt(8/3)`, `NiAl:B2`."""
    elements: list[str] = Field(default_factory=list)
    """Elements of the words without formula; none: those that the reference potential names."""
    structures: list[str] = Field(default_factory=list)
    """Files with further crystals to begin with."""
    bond: PositiveFloat | None = None
    """Bond of a close packing [A] with which the search for the minimum begins; null: from what is known of the elements."""


@register("crystals")
class Crystals(Judge):
    """Differences of the crystals that are at rest, how many are not, and whether the order of stability is right."""

    Config = CrystalsConfig
    numbers: ClassVar[Sequence[str]] = [
        "wrong",
        "ordered",
        *(f"{name}_{kind}" for name in UNITS for kind in ("mae", "worst")),
    ]
    shown: ClassVar[Mapping[str, Shown]] = {
        "wrong": ("wrong", ""),
        "ordered": ("ordered", ""),
        "energy_worst": ("worst energy", "meV/atom"),
        "bond_worst": ("worst bond", "A"),
    }

    @cached_property
    def specs(self) -> Sequence[CrystalSpec]:
        """The crystals asked for."""
        elements = self.config.elements or ([] if self._is_table else known_elements(open_calculator(self._reference)))
        if not elements and not all(parse_words(words)[0] for words in self.config.crystals):
            raise ConfigError(
                "judge (crystals): of which elements? Name them in `elements`, or write crystals with their formula, Al:fcc."
            )
        return [
            *parse_specs(self.config.crystals, elements),
            *given_crystals([self.base / p for p in self.config.structures]),
        ]

    @cached_property
    def reference(self) -> Mapping[str, Mapping[str, float]]:
        """Numbers of the crystals by name; crystals that go wrong in the reference itself are not among them."""
        if self._is_table:
            return load_reference(self._reference, self.specs)
        return numbers_of(relax_crystals(self.specs, open_calculator(self._reference), self._settings))

    def check(self, pool: Sequence[Structure]) -> None:
        if not self.reference:
            raise ConfigError(f"judge (crystals): none of the crystals is at rest in {self._reference}.")

    def judge(self, at: Situation) -> Numbers:
        if at.model is None:
            return {}
        wanted = [spec for spec in self.specs if spec.name in self.reference]
        try:
            found = judge(wanted, UnnpCalculator(at.model, at.device, dtype="float64"), self.reference, self._settings)
        except ModelError:  # the model can relax none of them
            return {"wrong": float(len(wanted))}
        return _numbers(found)

    @property
    def _reference(self) -> Path:
        return Path(self.base / self.config.reference)

    @property
    def _is_table(self) -> bool:
        return is_table(self._reference)

    @property
    def _settings(self) -> Settings:
        return Settings(bond=self.config.bond, curves=False)


def _numbers(found: Comparison) -> Numbers:
    """Return means over the crystals at rest, the worst where all are, and what is wrong."""
    numbers: dict[str, Any] = {"wrong": float(len(found.problems)), "ordered": float(found.order_is_right)}
    for name, factor in UNITS.items():
        differences = [abs(entry[name]) for entry in found.differences.values() if name in entry]
        if differences:
            numbers[f"{name}_mae"] = factor * float(np.mean(differences))
        if differences and not found.problems:
            numbers[f"{name}_worst"] = factor * found.largest(name)
    return numbers
