"""The melting points of all routes side by side: report.json and the rows of a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from unnp import __version__
from unnp.files.writing import write_atomically
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.finite_size import SizePoint, finite_size, size_figure, size_points
from unnp.workflows.melt.routes import RouteResult

HEADER = ["route", "atoms", "melting point [K]", "error [K]", "latent heat [meV/atom]"]


@dataclass(frozen=True)
class MeltReport:
    """What came out.

    Attributes:
        config: the configuration that was run.
        formula: the crystal's formula.
        results: results of the routes, by name.
        failures: why a route has no result, by route.
    """

    config: MeltConfig
    formula: str
    results: Mapping[str, RouteResult]
    failures: Mapping[str, str]

    def rows(self) -> list[list[str]]:
        """Return one row per route and cell for a table under ``HEADER``."""
        rows = [_row(point) for point in self.points]
        return [*rows, *([name, "", "none", "", ""] for name in self.failures)]

    @property
    def points(self) -> list[SizePoint]:
        """Of all routes and cells."""
        return size_points(self.results)

    def content(self) -> dict[str, Any]:
        """Return what goes into ``report.json``."""
        return {
            "unnp": __version__,
            "formula": self.formula,
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
    if any(point.small for point in report.points):
        size_figure(report.points, folder / "finite-size.png")
    write_atomically(folder / "report.json", json.dumps(report.content(), indent=2) + "\n")


def _row(point: SizePoint) -> list[str]:
    found, heat = point.melting_point, ""
    if point.latent_heat is not None:
        heat = f"{1000 * point.latent_heat.value:.1f} +- {1000 * point.latent_heat.error:.1f}"
    return [point.route, str(point.n_atoms), f"{found.value:.1f}", f"{found.error:.1f}", heat]


def _description(result: RouteResult) -> dict[str, Any]:
    heat = {} if result.latent_heat is None else {"latent_heat_eV_per_atom": asdict(result.latent_heat)}
    smaller = {"smaller_cells": [_description(each) for each in result.smaller]} if result.smaller else {}
    return {
        "n_atoms": result.n_atoms,
        "melting_point_K": asdict(result.melting_point),
        **heat,
        "warnings": result.warnings,
        "details": dict(result.details),
        **smaller,
    }
