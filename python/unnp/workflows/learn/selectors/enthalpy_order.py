"""One structure for each cell of a grid over enthalpy and order parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field, FiniteFloat

from unnp.atoms.structure import Structure
from unnp.errors import ConfigError
from unnp.units import BAR_PER_EV_PER_A3
from unnp.workflows.learn.evaluation import energies_per_atom
from unnp.workflows.learn.selectors.base import Choice, Selector, SelectorConfig, register
from unnp.workflows.learn.selectors.grid import one_of_each_cell
from unnp.workflows.learn.situation import Situation
from unnp.workflows.learn.spreading import said
from unnp.workflows.momt.order_parameters.bragg_amplitude import FkOrder
from unnp.workflows.momt.order_parameters.structure_factor import SkOrder


class EnthalpyOrderConfig(SelectorConfig):
    """Structures spread over a grid in enthalpy and order parameter."""

    order: Annotated[SkOrder | FkOrder, Field(discriminator="kind")]
    """As for [`unnp sample momt`](momt.md), with `star` and `cells`, or with `wave_vectors`."""
    pressure: FiniteFloat = 0.0
    """Pressure in the enthalpy [bar]."""
    cells: Annotated[int, Field(ge=2, le=1000)] = 20
    """Cells along both, from the smallest to the largest value of all structures."""


@register("enthalpy-order")
class EnthalpyOrder(Selector):
    """Chooses a structure from each cell of a grid in (H, s) that holds none yet, the cells in random order.

    `H = (E + p V) / n_atoms` with the energy that the model of the round predicts: no label is looked at.
    """

    Config = EnthalpyOrderConfig

    def __init__(self, config: EnthalpyOrderConfig) -> None:
        super().__init__(config)
        if not config.order.is_settled:
            raise ConfigError("select.order: give `star` and `cells`, or `wave_vectors`; there is no crystal to ask.")

    def select(self, frames: Sequence[Structure], at: Situation) -> list[Choice]:
        new, old = (self._points(structures, at) for structures in (frames, at.learnt))
        found = one_of_each_cell(new, old, self.config.cells)
        drawn = [found[int(k)] for k in at.random("select").permutation(len(found))[: self.config.most]]
        return [Choice(k, n, f"one of {n:g} around H {new[k, 0]:.4g} eV/atom, s {new[k, 1]:.3g}") for k, n in drawn]

    def _points(self, structures: Sequence[Structure], at: Situation) -> np.ndarray:
        """Return H [eV/atom] and s of structures, (n, 2)."""
        if not len(structures):
            return np.zeros((0, 2))
        points = [
            (
                energy + self.config.pressure / BAR_PER_EV_PER_A3 * structure.volume / len(structure),
                self._order(structure),
            )
            for energy, structure in zip(said(at, structures, energies_per_atom), structures, strict=True)
        ]
        return np.array(points)

    def _order(self, structure: Structure) -> float:
        if not structure.pbc.all():
            raise ConfigError(
                f"select: enthalpy-order counts waves in cells that are periodic in all directions, and {structure.source} "
                "is not; choose another selector."
            )
        return float(self.config.order.measure(structure.to_atoms()))
