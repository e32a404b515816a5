"""All results of an analysis, and their form as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from unnp.sampling.blocks import Blocks
from unnp.sampling.config import AnalysisConfig
from unnp.sampling.density_of_states import DensityOfStates
from unnp.sampling.estimate import Estimate
from unnp.sampling.free_energy import Profile
from unnp.sampling.log_file import unit_names
from unnp.sampling.melting import Melting
from unnp.sampling.phases import Phases
from unnp.sampling.reweighting import WeightedSums
from unnp.sampling.samples import Samples

FORMAT = "unnp momt analysis 1"


@dataclass(frozen=True)
class Averages:
    """Reweighted averages at one temperature, per atom but for the order parameter.

    Attributes:
        temperature: T.
        effective_fraction: Kish's effective sample size over the number of rows.
        values: energy, volume, enthalpy, order, heat_capacity; None where the samples do not support them.
        refusal: why not, else empty.
    """

    temperature: float
    effective_fraction: float
    values: dict[str, Estimate] | None
    refusal: str = ""


@dataclass(frozen=True)
class Curve:
    """A quantity over temperature, (n_t,) each; NaN where it is not supported."""

    temperatures: np.ndarray
    value: np.ndarray
    error: np.ndarray


@dataclass(frozen=True)
class Analysis:
    """What the samples of a run say.

    Attributes:
        samples: the rows used.
        n_read: rows read.
        settings: of the analysis.
        pressure: of the results [energy/length^3], None at constant volume.
        blocks: that errors come from.
        temperature_range: lowest and highest temperature with enough effective samples.
        sums: on the temperatures of the curves; two phases where they are told apart.
        averages: at the listed temperatures.
        heat_capacities: over temperature, of "all", and of "solid" and "liquid" where told apart.
        phases: where solid and liquid lie, or None.
        melting: the melting point, or None.
        refusal: why there is no melting point, else empty.
        profiles: G(s) at some temperatures.
        states: density of states, or None.
        halves: enthalpy [energy/atom] at the middle of the supported range from both halves of the run.
        notes: warnings.
    """

    samples: Samples
    n_read: int
    settings: AnalysisConfig
    pressure: float | None
    blocks: Blocks
    temperature_range: tuple[float, float]
    sums: WeightedSums
    averages: list[Averages]
    heat_capacities: dict[str, Curve]
    phases: Phases | None
    melting: Melting | None
    refusal: str
    profiles: list[Profile]
    states: DensityOfStates | None
    halves: dict[str, float]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what analysis.json holds: numbers in the units it names, per atom where it says so; no curves."""
        samples, names = self.samples, unit_names(self.samples.header)
        content = {
            "format": FORMAT,
            "units": names.to_dict(),
            "run": samples.header.model_dump(),
            "pressure": None if self.pressure is None else self.pressure * names.pressure_factor,
            "rows": {"read": self.n_read, "used": len(samples), "walkers": int(samples.walker.max()) + 1},
            "correlation_time_rows": self.blocks.correlation_time,
            "independent_samples": self.blocks.n_independent,
            "blocks": self.blocks.n_blocks,
            "settings": self.settings.model_dump(mode="json"),
            "supported_temperatures": list(self.temperature_range),
            "averages_per_atom": [_averages(row, len(samples)) for row in self.averages],
            "halves": self.halves,
            "phases": None if self.phases is None else asdict(self.phases),
            "melting": None if self.melting is None else self._melting(self.melting),
            "refusal": self.refusal,
            "notes": list(self.notes),
        }
        return _without_nan(content)

    def _melting(self, melting: Melting) -> dict[str, Any]:
        factor = unit_names(self.samples.header).pressure_factor
        slope, tm = melting.slope, melting.temperature
        return {
            "temperature": asdict(tm),
            "latent_heat_per_atom": asdict(melting.latent_heat),
            "energy_change_per_atom": asdict(melting.energy_change),
            "entropy_change_per_atom_in_k": melting.latent_heat.value / (self.samples.boltzmann * tm.value),
            "volume_change_per_atom": asdict(melting.volume_change),
            "pressure_slope": None if slope is None else asdict(slope.times(factor)),
            "dividing_order": melting.phases.dividing,
            "passages": melting.passages,
            "halves": {"first": melting.halves[0], "second": melting.halves[1], "drift_in_kT": melting.drift},
        }


def _averages(row: Averages, n_rows: int) -> dict[str, Any]:
    line: dict[str, Any] = {
        "temperature": row.temperature,
        "effective_fraction": row.effective_fraction,
        "effective_samples": row.effective_fraction * n_rows,
    }
    if row.values is None:
        return line | {"refusal": row.refusal}
    return line | {name: asdict(estimate) for name, estimate in row.values.items()}


def _without_nan(content: Any) -> Any:
    """Return nested content with None for numbers that are not finite, which JSON does not know."""
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
