"""Melting point from crystal and melt side by side at constant enthalpy: the temperature finds it by itself.

Where the cell is too warm crystal melts, which takes heat up, and the other way round. The box is free along the normal of
the interface; across it has the size of the crystal at that temperature and pressure, so that the crystal is not strained
(Morris, Wang, Ho and Chan, Phys. Rev. B 49, 3109 (1994)).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unnp.errors import SamplingError
from unnp.lammps.log import LammpsLog
from unnp.workflows.melt.bracket import Bracket
from unnp.workflows.melt.cells import Crystal
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.decks import two_phase_data
from unnp.workflows.melt.estimates import Mean, mean_of
from unnp.workflows.melt.figures import Course, course_figure, profile_figure
from unnp.workflows.melt.phases import PhaseLostError, check_both_present, read_profiles
from unnp.workflows.melt.routes import RouteResult
from unnp.workflows.melt.two_phase import TwoPhaseCell, averages

ADVICE = "Give `temperatures` nearer to the melting point, or a larger cell, which changes its temperature further."


@dataclass(frozen=True)
class CoexistenceRoute:
    """Two-phase coexistence at constant enthalpy and pressure.

    Attributes:
        config: of the run.
        crystal: that is melted.
        base: where relative paths in the configuration begin.
    """

    config: MeltConfig
    crystal: Crystal
    base: Path
    name: str = "coexistence"

    def run(self, folder: Path, guess: float) -> RouteResult:
        """Return the mean temperature of the two phases; see ``Route.run``."""
        first, lost = self._first(folder, guess)
        start = first.details["start"]
        rounds, warnings = [first], [f"another start was needed: {text}" for text in lost]
        if abs(first.temperature - start) > self.config.coexistence.iterate_above:
            try:
                rounds.append(self._at(folder, first.temperature))
            except PhaseLostError as error:
                warnings.append(f"not repeated from the temperature found: {error}")
        final = rounds[-1]
        details = {**final.details, "rounds": [[r.details["start"], r.temperature, r.error] for r in rounds]}
        return RouteResult(final.temperature, final.error, details, [*final.warnings, *warnings])

    def _first(self, folder: Path, guess: float) -> tuple[RouteResult, list[str]]:
        """Return the first result with both phases, and the starts at which one took the whole cell."""
        bracket = Bracket(*self.config.bracket)
        lost: list[str] = []
        for _ in range(self.config.coexistence.attempts):
            try:
                return self._at(folder, guess), lost
            except PhaseLostError as error:
                print(error, flush=True)
                lost.append(str(error))
                guess = bracket.next_guess(error, guess)
        raise SamplingError("one phase took the whole cell at every start:\n  " + "\n  ".join([*lost, ADVICE]))

    def _at(self, folder: Path, temperature: float) -> RouteResult:
        """Return the result of all runs that begin at one temperature."""
        cell = TwoPhaseCell(self.config, self.crystal, temperature, self.base, folder / "cells")
        courses = {f"run {k}": self._course(cell, k) for k in range(1, self.config.coexistence.runs + 1)}
        means = [mean_of(course.kept(course.signal)) for course in courses.values()]
        value, error = combine(means)
        title = f"{value:.1f} $\\pm$ {error:.1f} K"
        course_figure(courses, "temperature [K]", folder / "coexistence.png", value, error, title)
        profile_figure(courses, folder / "coexistence-profile.png")
        details = {"start": cell.temperature, "folder": cell.folder.name, "runs": [asdict(mean) for mean in means]}
        return RouteResult(value, error, details, _drift_warnings(means))

    def _course(self, cell: TwoPhaseCell, run: int) -> Course:
        labels = cell.two_phases(run)
        steps = self.config.steps(self.config.coexistence.duration)
        deck = cell.decks.coexistence(run)
        result = cell.stages.run(f"coexistence.{run}", deck, [two_phase_data(run)], steps, _read)
        table = {name: np.array(column) for name, column in result.items()}
        share = labels.solid_share(table["crystal_like"])
        last = float(table["temperature"][-5:].mean())
        check_both_present(share, last, f"{cell.folder}, run {run}", adiabatic=True)
        profiles = read_profiles(cell.folder / f"profile.{run}.dat")
        discard = self.config.coexistence.discard
        return Course(table["time"], table["temperature"], share, discard, labels, profiles)


def combine(means: list[Mean]) -> tuple[float, float]:
    """Return the mean of independent runs and its error: that of the runs or, of three or more, their scatter if larger."""
    values, errors = np.array([mean.value for mean in means]), np.array([mean.error for mean in means])
    error = float(np.sqrt((errors**2).sum())) / len(means)
    if len(means) > 2:
        error = max(error, float(values.std(ddof=1)) / np.sqrt(len(means)))
    return float(values.mean()), error


def _drift_warnings(means: list[Mean]) -> list[str]:
    return [
        f"run {k}: the temperature still drifts, by {mean.drift:+.1f} +- {mean.drift_error:.1f} K between the halves; make "
        "coexistence.duration longer"
        for k, mean in enumerate(means, 1)
        if mean.drifts
    ]


def _read(log: LammpsLog) -> dict[str, Any]:
    table = averages(log.blocks[-1])
    columns = {"time": table["Time"], "temperature": table["temperature"], "crystal_like": table["crystal_like"]}
    return {name: np.round(column, 6).tolist() for name, column in columns.items()}
