"""Melting point from crystal and melt side by side at constant enthalpy: the temperature finds it by itself.

Where the cell is too warm crystal melts, which takes heat up, and the other way round. The box is free along the normal of
the interface; across it has the size of the crystal at that temperature and pressure, so that the crystal is not strained
(Morris, Wang, Ho and Chan, Phys. Rev. B 49, 3109 (1994)). A round is begun at the temperature that the one before has found,
which gives the crystal the box of that temperature, until two agree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unnp.errors import SamplingError
from unnp.lammps.log import LammpsLog
from unnp.sampling.estimate import Estimate
from unnp.workflows.melt.coexistence.bracket import Bracket
from unnp.workflows.melt.coexistence.relaxation import Relaxed, relaxed, slow_deviation
from unnp.workflows.melt.routes import RouteResult
from unnp.workflows.melt.two_phase.cell import TwoPhaseCell, averages
from unnp.workflows.melt.two_phase.decks import two_phase_data
from unnp.workflows.melt.two_phase.figures import Course, course_figure, profile_figure
from unnp.workflows.melt.two_phase.labels import PhaseLostError, check_both_present, read_profiles
from unnp.workflows.melt.two_phase.route import TwoPhaseRoute

ADVICE = "Give `temperatures` nearer to the melting point, or a larger cell, which changes its temperature further."

START = 0.03
"""Deviation from the melting point that starts may have, as a share of it."""


@dataclass(frozen=True)
class Round:
    """The runs from cells made at one temperature.

    Attributes:
        cell: the temperature, and where its files are.
        courses: what each run did, by what tells the runs apart.
        series: times [ps] and temperatures [K] of the parts that are used.
        found: from these.
    """

    cell: TwoPhaseCell
    courses: Mapping[str, Course]
    series: Sequence[tuple[np.ndarray, np.ndarray]]
    found: Relaxed


@dataclass(frozen=True)
class CoexistenceRoute(TwoPhaseRoute):
    """Two-phase coexistence at constant enthalpy and pressure."""

    name: str = "coexistence"

    def run(self, folder: Path, guess: float) -> RouteResult:
        """Return the temperature to which the two phases relax; see ``Route.run``."""
        first, lost = self._first(folder, guess)
        rounds, warnings = [first], [f"another start was needed: {text}" for text in lost]
        while len(rounds) < self.config.coexistence.rounds and not agree(rounds):
            try:
                rounds.append(self._at(folder, rounds[-1].found.value))
            except PhaseLostError as error:
                warnings.append(f"not repeated from the temperature found: {error}")
                break
        return self._result(rounds, warnings, folder)

    def _result(self, rounds: list[Round], warnings: list[str], folder: Path) -> RouteResult:
        last = rounds[-2:] if agree(rounds) else rounds[-1:]
        found = self._relaxed([series for each in last for series in each.series])
        error = found.error
        if len(rounds) > 1 and not agree(rounds):
            difference = rounds[-1].found.value - rounds[-2].found.value
            error = max(error, abs(difference))
            warnings.append(
                f"the last two rounds differ by {difference:+.1f} K, more than their errors allow; make "
                "coexistence.duration longer or allow more coexistence.rounds"
            )
        courses = {f"from {each.cell.temperature:g} K{name}": c for each in rounds for name, c in each.courses.items()}
        title = f"{found.value:.1f} $\\pm$ {error:.1f} K"
        course_figure(courses, "temperature [K]", folder / "coexistence.png", found.value, error, title)
        profile_figure(rounds[-1].courses, folder / "coexistence-profile.png")
        details = {
            "start": rounds[-1].cell.temperature,
            "folder": rounds[-1].cell.folder.name,
            "relaxation_time_ps": found.time,
            "rounds": [{"start": each.cell.temperature, **asdict(each.found)} for each in rounds],
        }
        return self.result(Estimate(found.value, error), details, warnings)

    def _first(self, folder: Path, guess: float) -> tuple[Round, list[str]]:
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

    def _at(self, folder: Path, temperature: float) -> Round:
        """Return all runs that begin at one temperature."""
        cell = self.cell(folder, temperature)
        n_runs = self.config.coexistence.runs
        courses = {f", run {k}" if n_runs > 1 else "": self._course(cell, k) for k in range(1, n_runs + 1)}
        series = [(course.kept(course.time), course.kept(course.signal)) for course in courses.values()]
        found = self._relaxed(series)
        print(f"coexistence from {cell.temperature:g} K: {found.value:.1f} +- {found.error:.1f} K", flush=True)
        return Round(cell, courses, series, found)

    def _relaxed(self, series: Sequence[tuple[np.ndarray, np.ndarray]]) -> Relaxed:
        level = float(np.mean([temperature.mean() for _, temperature in series]))
        return relaxed(series, slow_deviation(level, len(self.crystal.atoms)), START * level)

    def _course(self, cell: TwoPhaseCell, run: int) -> Course:
        calibration = cell.two_phases(run)
        steps = self.config.steps(self.config.coexistence.duration)
        deck = cell.decks.coexistence(run)
        result = cell.run(f"coexistence.{run}", deck, [two_phase_data(run)], steps, _read)
        table = {name: np.array(column) for name, column in result.items()}
        share = calibration.solid_share(table["crystal_like"])
        last = float(table["temperature"][-5:].mean())
        check_both_present(share, last, f"{cell.folder}, run {run}", adiabatic=True)
        profiles = read_profiles(cell.folder / f"profile.{run}.dat")
        discard = self.config.coexistence.discard
        return Course(table["time"], table["temperature"], share, discard, calibration, profiles)


def agree(rounds: Sequence[Round]) -> bool:
    """Whether the last of at least two rounds differs from the one before by less than twice the error of the difference."""
    if len(rounds) < 2:
        return False
    before, last = (each.found for each in rounds[-2:])
    return abs(last.value - before.value) < 2 * math.hypot(before.error, last.error)


def _read(log: LammpsLog) -> dict[str, Any]:
    table = averages(log.blocks[-1])
    columns = {"time": table["Time"], "temperature": table["temperature"], "crystal_like": table["crystal_like"]}
    return {name: np.round(column, 6).tolist() for name, column in columns.items()}
