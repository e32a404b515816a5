"""Melting point from a run of `unnp sample momt`: where solid and liquid weigh the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unnp.config import from_dict
from unnp.errors import ConfigError, SamplingError
from unnp.workflows.melt.cells import Crystal
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.routes import RouteResult

ANALYSIS_FILE = Path("analysis/analysis.json")
REPEAT = [3, 3, 3]
"""Of the crystal in a run made here: small cells melt and freeze often."""


@dataclass(frozen=True)
class MomtRoute:
    """Multi-order multi-thermal sampling; attributes as of ``CoexistenceRoute``."""

    config: MeltConfig
    crystal: Crystal
    base: Path
    name: str = "momt"

    def run(self, folder: Path, guess: float) -> RouteResult:
        """Return the melting point of a run that is there, or of one made or gone on with in ``<folder>/momt``."""
        if self.config.momt.folder is not None:
            return read_analysis(self.base / self.config.momt.folder, self.config.pressure)
        # Imported here, as it is the only route that needs fix momt.
        from unnp.workflows.momt.config import MomtConfig
        from unnp.workflows.momt.run import run_momt

        settings = momt_settings(self.config)
        run_momt(from_dict(settings, MomtConfig, where="momt.settings"), self.base, folder / "momt", resume=True)
        return read_analysis(folder / "momt", self.config.pressure)


def momt_settings(config: MeltConfig) -> dict[str, Any]:
    """Return the configuration of `unnp sample momt`: that of this run, and ``momt.settings`` on top."""
    shared = config.model_dump(
        mode="json", include={"potential", "pressure", "timestep", "seed", "device", "launcher", "lmp"}
    )
    structure = config.structure.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    if config.structure.element is not None:
        structure["repeat"] = REPEAT
    return {
        **shared,
        "structure": structure,
        "temperatures": list(config.bracket),
        "frames": None,
        **config.momt.settings,
    }


def read_analysis(folder: Path, pressure: float) -> RouteResult:
    """Return the melting point that the analysis of a run found.

    Args:
        folder: of the run.
        pressure: that it must be at [GPa].

    Raises:
        ConfigError: there is no analysis, or it is at another pressure.
        SamplingError: it found no melting point, and why.
    """
    path = folder / ANALYSIS_FILE
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read ({error}); run `unnp sample analyse {folder}` first.") from None
    if content["pressure"] is None or abs(content["pressure"] - pressure) > 1e-6 * max(1.0, abs(pressure)):
        raise ConfigError(
            f"{folder} was analysed at {content['pressure']} GPa, the melting point is asked at {pressure} GPa."
        )
    melting = content["melting"]
    if melting is None:
        raise SamplingError(f"{folder}: {content['refusal']}")
    temperature, heat = melting["temperature"], melting["latent_heat_per_atom"]
    details = {"folder": str(folder), "atoms": content["run"]["atoms"], **melting}
    return RouteResult(
        temperature["value"], temperature["error"], details, list(content["notes"]), (heat["value"], heat["error"])
    )
