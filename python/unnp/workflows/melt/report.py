"""The melting points of all routes side by side: report.json and the rows of a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unnp import __version__
from unnp.files.writing import write_atomically
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.crystal import Crystal
from unnp.workflows.melt.finite_size import SizePoint, finite_size, size_figure, size_points
from unnp.workflows.melt.routes import RouteResult

HEADER = ["route", "atoms", "melting point [K]", "error [K]", "latent heat [meV/atom]"]


@dataclass(frozen=True)
class MeltReport:
    """What came out.

    Attributes:
        config: that was run.
        crystal: that was melted.
        results: by route.
        failures: why a route has no result, by route.
    """

    config: MeltConfig
    crystal: Crystal
    results: Mapping[str, RouteResult]
    failures: Mapping[str, str]

    def rows(self) -> list[list[str]]:
        """Return one row per route and cell for a table under ``HEADER``."""
        rows = [_row(point) for point in self.points]
        return [*rows, *([name, "", "none", "", ""] for name in self.failures)]

    @property
    def points(self) -> list[SizePoint]:
        """Of all routes and cells."""
        return size_points(self.results, len(self.crystal.atoms))

    @property
    def formula(self) -> str:
        """Of the crystal."""
        return str(self.crystal.atoms.get_chemical_formula(empirical=True))

    def content(self) -> dict[str, Any]:
        """Return what goes into ``report.json``."""
        atoms = self.crystal.atoms
        return {
            "unnp": __version__,
            "formula": self.formula,
            "n_atoms": len(atoms),
            "cell_at_the_beginning_A": atoms.cell.lengths().tolist(),
            "neighbour_shell": {"radius_A": self.crystal.shell_radius, "coordination": self.crystal.coordination},
            "bragg_peak": self.crystal.bragg,
            "pressure_GPa": self.config.pressure,
            "bracket_K": list(self.config.bracket),
            "potential": self.config.potential.model_dump(mode="json", exclude_none=True),
            "routes": {
                **{name: _description(result) for name, result in self.results.items()},
                **{name: {"failure": reason} for name, reason in self.failures.items()},
            },
            "finite_size": finite_size(self.points),
        }


def write_report(report: MeltReport, folder: Path) -> None:
    """Write ``report.json``, and the figure of the sizes where there are several."""
    if any(point.route == "momt" for point in report.points):
        size_figure(report.points, folder / "finite-size.png")
    write_atomically(folder / "report.json", json.dumps(report.content(), indent=2) + "\n")


def _row(point: SizePoint) -> list[str]:
    heat = "" if point.latent_heat is None else "{:.1f} +- {:.1f}".format(*(1000 * x for x in point.latent_heat))
    return [point.route, str(point.n_atoms), f"{point.temperature:.1f}", f"{point.error:.1f}", heat]


def _description(result: RouteResult) -> dict[str, Any]:
    heat = {} if result.latent_heat is None else {"latent_heat_eV_per_atom": list(result.latent_heat)}
    smaller = {"smaller_cells": [_description(each) for each in result.smaller]} if result.smaller else {}
    return {
        "melting_point_K": result.temperature,
        "error_K": result.error,
        **heat,
        "warnings": result.warnings,
        "details": dict(result.details),
        **smaller,
    }
