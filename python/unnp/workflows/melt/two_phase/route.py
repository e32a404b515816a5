"""What the routes with crystal and melt side by side have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from unnp.files.writing import write_atomically
from unnp.sampling.estimate import Estimate
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.crystal import Crystal, build_crystal
from unnp.workflows.melt.routes import RouteResult
from unnp.workflows.melt.two_phase.cell import TwoPhaseCell


@dataclass(frozen=True)
class TwoPhaseRoute:
    """A route that begins with cells of two phases, which all such routes share by their temperature.

    Attributes:
        config: the run's configuration.
        base: where relative paths in the configuration begin.
    """

    config: MeltConfig
    base: Path

    @cached_property
    def crystal(self) -> Crystal:
        """The crystal that is melted; see ``build_crystal`` for what it raises."""
        return build_crystal(self.config, self.base)

    def cell(self, folder: Path, temperature: float) -> TwoPhaseCell:
        """Return the cell of a temperature [K] in the folder of the whole run."""
        return TwoPhaseCell(self.config, self.crystal, temperature, self.base, folder / "cells")

    def has_begun(self, folder: Path) -> bool:
        """Tell whether a stage of any cell is finished."""
        return any(folder.glob("cells/*/*.json"))

    def prepare(self, folder: Path) -> list[Path]:
        """Write the decks of crystal and melt at the first temperature, and return them; see ``Route.prepare``."""
        cell = self.cell(folder, self.config.guess)
        decks = {"in.solid.lammps": cell.decks.solid(), "in.melt.1.lammps": cell.decks.melt()}
        for name, text in decks.items():
            write_atomically(cell.folder / name, text)
        return [cell.folder / name for name in decks]

    def result(
        self,
        melting_point: Estimate,
        details: Mapping[str, Any],
        warnings: list[str],
        latent_heat: Estimate | None = None,
    ) -> RouteResult:
        """Return a result with what is known of the cell."""
        crystal = self.crystal
        cell = {
            "lengths_at_the_beginning_A": crystal.atoms.cell.lengths().tolist(),
            "neighbour_shell": {"radius_A": crystal.shell_radius, "coordination": crystal.coordination},
            "bragg_peak": crystal.bragg,
        }
        n_atoms = len(crystal.atoms)
        return RouteResult(melting_point, n_atoms, {**details, "cell": cell}, warnings, latent_heat)
