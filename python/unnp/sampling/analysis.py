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
class Evidence:
    """What the results are made of.

    Attributes:
        samples: the rows used.
        n_read: rows read.
        settings: settings for the analysis.
        asked_pressure: pressure of the results where it is not that of the run [energy/length^3].
        blocks: blocks that errors come from.
        multiplicity: (replicas, n_blocks), how often each block is in each replica of the bootstrap.
        temperature_range: lowest and highest temperature with enough effective samples.
    """

    samples: Samples
    n_read: int
    settings: AnalysisConfig
    asked_pressure: float | None
    blocks: Blocks
    multiplicity: np.ndarray
    temperature_range: tuple[float, float]

    @property
    def pressure(self) -> float | None:
        """Pressure of the results [energy/length^3], None at constant volume."""
        return self.samples.pressure if self.asked_pressure is None else self.asked_pressure


@dataclass(frozen=True)
class ThermalAverages:
    """Averages over temperature.

    Attributes:
        sums: on the temperatures of the curves; two phases where they are told apart.
        listed: at the listed temperatures.
        heat_capacities: heat capacities for "all", and for "solid" and "liquid" where told apart.
        halves: enthalpy [energy/atom] at the middle of the supported range from both halves of the run.
    """

    sums: WeightedSums
    listed: list[Averages]
    heat_capacities: dict[str, Curve]
    halves: dict[str, float]


@dataclass(frozen=True)
class Transition:
    """Solid and liquid.

    Attributes:
        phases: where they lie, or None.
        passages: between them, all walkers.
        melting: the melting point, or None.
        refusal: why there is no melting point, else empty.
        temperature: the melting point, or a first one where it is refused [temperature]; None where there is none.
    """

    phases: Phases | None
    passages: int
    melting: Melting | None
    refusal: str
    temperature: float | None


@dataclass(frozen=True)
class Densities:
    """Distributions.

    Attributes:
        profiles: G(s) at some temperatures.
        states: density of states, or None.
        refusal: why there is no density of states, else empty.
    """

    profiles: list[Profile]
    states: DensityOfStates | None
    refusal: str


@dataclass(frozen=True)
class Analysis:
    """What the samples of a run say.

    Attributes:
        evidence: what it is made of.
        thermal: averages over temperature.
        transition: solid and liquid.
        densities: densities over order parameter and enthalpy.
        notes: warnings.
    """

    evidence: Evidence
    thermal: ThermalAverages
    transition: Transition
    densities: Densities
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what analysis.json holds: numbers in the units it names, per atom where it says so; no curves."""
        evidence, transition = self.evidence, self.transition
        samples, pressure, names = evidence.samples, evidence.pressure, unit_names(evidence.samples.header)
        content = {
            "format": FORMAT,
            "units": names.to_dict(),
            "run": samples.header.model_dump(),
            "pressure": None if pressure is None else pressure * names.pressure_factor,
            "rows": {"read": evidence.n_read, "used": len(samples), "walkers": int(samples.walker.max()) + 1},
            "correlation_time_rows": evidence.blocks.correlation_time,
            "independent_samples": evidence.blocks.n_independent,
            "blocks": evidence.blocks.n_blocks,
            "settings": evidence.settings.model_dump(mode="json"),
            "supported_temperatures": list(evidence.temperature_range),
            "averages_per_atom": [_averages(row, len(samples)) for row in self.thermal.listed],
            "halves": self.thermal.halves,
            "phases": None if transition.phases is None else asdict(transition.phases),
            "melting": None if transition.melting is None else _melting(transition.melting, samples),
            "refusal": transition.refusal,
            "notes": list(self.notes),
        }
        return _without_nan(content)


def _melting(melting: Melting, samples: Samples) -> dict[str, Any]:
    factor = unit_names(samples.header).pressure_factor
    slope, tm = melting.slope, melting.temperature
    return {
        "temperature": asdict(tm),
        "latent_heat_per_atom": asdict(melting.latent_heat),
        "energy_change_per_atom": asdict(melting.energy_change),
        "entropy_change_per_atom_in_k": melting.latent_heat.value / (samples.boltzmann * tm.value),
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
