"""Melting points from runs of `unnp sample momt`: where solid and liquid weigh the same, in cells of several sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from unnp.config import from_dict
from unnp.errors import ConfigError, SamplingError
from unnp.files.writing import read_json
from unnp.lammps.system import build_structure
from unnp.sampling.estimate import Estimate
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.momt.settings import cells_of, momt_settings
from unnp.workflows.melt.routes import RouteResult
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.folder import CONFIG_FILE, examine, has_begun
from unnp.workflows.momt.run import run_momt

ANALYSIS_FILE = Path("analysis/analysis.json")


@dataclass(frozen=True)
class MomtRoute:
    """Multi-order multi-thermal sampling of cells that melt and freeze as a whole.

    Attributes:
        config: the run's configuration.
        base: where relative paths in the configuration begin.
    """

    config: MeltConfig
    base: Path
    name: str = "momt"

    def run(self, folder: Path, guess: float) -> RouteResult:
        """Return the melting point of the largest cell, with those of smaller ones.

        The runs are those that the configuration names, or are made or gone on with in ``<folder>/momt``.
        """
        if self.config.momt.folders:
            results = [read_analysis(self.base / path, self.config.pressure) for path in self.config.momt.folders]
            return combined(results, [])
        results, lost = [], []
        for cell in cells_of(self.config, self.base):
            try:
                results.append(self._cell(cell, folder / "momt", guess))
            except SamplingError as error:
                lost.append(str(error))
                print(f"momt: {error}", flush=True)
        return combined(results, lost)

    def has_begun(self, folder: Path) -> bool:
        """Tell whether a run of any cell has finished work."""
        return any(has_begun(place) for place in (folder / "momt").glob("*-atoms"))

    def prepare(self, folder: Path) -> list[Path]:
        """Check that the runs can be made or read; their decks depend on what routes before find, so none are written.

        Raises:
            ConfigError: a run cannot be made or read.
        """
        for path in self.config.momt.folders:
            if not (self.base / path / ANALYSIS_FILE).is_file():
                raise ConfigError(
                    f"momt.folders: {self.base / path} holds no {ANALYSIS_FILE}; name folders of finished runs of `unnp sample "
                    "momt`, or leave it out to make runs here."
                )
        if not self.config.momt.folders:
            for cell in cells_of(self.config, self.base):
                settings, _ = self._settings(cell, folder / "momt", self.config.guess)
                try:
                    examine(settings, self.base)
                except ConfigError as error:
                    raise ConfigError(f"the route momt needs other momt.settings: {error}") from None
        return []

    def _settings(self, cell: int, folder: Path, guess: float) -> tuple[MomtConfig, Path]:
        """Return the configuration of the run of one cell, and its folder."""
        n_atoms = len(build_structure(self.config.structure, self.base)) * cell**3
        place = folder / f"{n_atoms}-atoms"
        settings = momt_settings(self.config, n_atoms, cell, guess, place)
        return from_dict(settings, MomtConfig, where="momt.settings"), place

    def _cell(self, cell: int, folder: Path, guess: float) -> RouteResult:
        settings, place = self._settings(cell, folder, guess)
        print(f"momt: {place.name}", flush=True)
        run_momt(settings, self.base, place, resume=(place / CONFIG_FILE).is_file())
        return read_analysis(place, self.config.pressure)


def combined(results: list[RouteResult], lost: list[str]) -> RouteResult:
    """Return the result of the largest cell, with those of smaller ones and why others have none.

    Raises:
        SamplingError: there is none.
    """
    if not results:
        raise SamplingError("; ".join(lost))
    *smaller, largest = sorted(results, key=lambda result: result.n_atoms)
    return replace(largest, smaller=smaller, warnings=[*largest.warnings, *lost])


def read_analysis(folder: Path, pressure: float) -> RouteResult:
    """Return the melting point that the analysis of a run found.

    Args:
        folder: the run's folder.
        pressure: pressure at which the run must have been made [GPa].

    Raises:
        ConfigError: there is no analysis, or it is at another pressure.
        SamplingError: it found no melting point, and why.
    """
    path = folder / ANALYSIS_FILE
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read ({error}); run `unnp sample analyse {folder}` first.") from None
    if content["pressure"] is None or abs(content["pressure"] - pressure) > 1e-6 * max(1.0, abs(pressure)):
        raise ConfigError(
            f"{folder} was analysed at {content['pressure']} GPa, the melting point is asked at {pressure} GPa."
        )
    melting, n_atoms = content["melting"], content["run"]["atoms"]
    if melting is None:
        raise SamplingError(f"{folder}: {content['refusal']}")
    temperature, heat = melting["temperature"], melting["latent_heat_per_atom"]
    details = {"folder": str(folder), "atoms": n_atoms, **melting}
    warnings = [f"{n_atoms} atoms: {note}" for note in [*content["notes"], *_unmet(folder)]]
    return RouteResult(Estimate(**temperature), n_atoms, details, warnings, Estimate(**heat), small_cell=True)


def _unmet(folder: Path) -> list[str]:
    """Return which stages ended before their gates held."""
    try:
        stages = read_json(folder / "summary.json")["stages"]
        return [f"{name} ended {stage['ended']}" for name, stage in stages.items() if not stage["held"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
