"""The analysis of MOMT samples from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from unnp.errors import SamplingError, UnnpError
from unnp.files.writing import write_atomically
from unnp.sampling.analysis import Analysis
from unnp.sampling.averages import averages, heat_capacities, round_values
from unnp.sampling.blocks import Blocks, make_blocks
from unnp.sampling.config import AnalysisConfig
from unnp.sampling.density_of_states import DensityOfStates, density_of_states
from unnp.sampling.free_energy import Profile, profile
from unnp.sampling.log_file import unit_names
from unnp.sampling.melting import Melting, melting
from unnp.sampling.phases import Phases, find_phases
from unnp.sampling.reweighting import WeightedSums, weighted_sums
from unnp.sampling.samples import Samples, production
from unnp.sampling.support import supported_range

N_LISTED = 10
MIN_INDEPENDENT = 20
PROFILE_STEP = 0.08
"""profiles of the free energy are given at Tm and at temperatures this fraction below and above"""


def analyse(samples: Samples, settings: AnalysisConfig, folder: Path | None = None) -> Analysis:
    """Return averages, density of states and melting point of a run.

    What the samples do not support is left out, with the reason in its place.

    Args:
        samples: as read, all rows.
        settings: of the analysis.
        folder: gets analysis.json and the figures with their data; None writes nothing.

    Raises:
        SamplingError: too few rows; no temperature is supported; a pressure for a run at constant volume.
        UnnpError: the folder cannot be written.
    """
    used = production(samples, settings.burn_in)
    pressure = _pressure(used, settings)
    blocks = make_blocks(used)
    multiplicity = blocks.multiplicities(settings.replicas, settings.seed)
    temperature_range = supported_range(used, pressure, settings.min_effective_fraction)
    phases, refusal, near = _phases(used, pressure, temperature_range, settings)
    labels = np.zeros(len(used), dtype=int) if phases is None else phases.label(used)
    listed = np.unique(settings.temperatures) if settings.temperatures else round_values(*temperature_range, N_LISTED)
    temperatures = np.union1d(np.linspace(*temperature_range, settings.grid), listed)
    sums = weighted_sums(used, temperatures, pressure, labels, blocks)
    passages = 0 if phases is None else int(phases.passages(used).sum())
    found: Melting | None = None
    if phases is not None:
        try:
            found = melting(sums, blocks, multiplicity, phases, passages, settings)
        except SamplingError as error:
            refusal = str(error)
    centre = found.temperature.value if found else near
    states, states_note = _states(used, blocks, multiplicity, settings)
    analysis = Analysis(
        samples=used,
        n_read=len(samples),
        settings=settings,
        pressure=used.pressure if pressure is None else pressure,
        blocks=blocks,
        temperature_range=temperature_range,
        sums=sums,
        averages=averages(sums, blocks, multiplicity, listed, settings.min_effective_fraction),
        heat_capacities=heat_capacities(sums, blocks, multiplicity, settings.min_effective_fraction),
        phases=phases,
        melting=found,
        refusal=refusal,
        profiles=_profiles(used, blocks, multiplicity, pressure, centre, temperature_range, settings) if centre else [],
        states=states,
        halves=_halves(sums, blocks),
        notes=(*used.notes, *_notes(blocks, phases, passages, settings), *states_note),
    )
    if folder is not None:
        write_analysis(analysis, folder)
    return analysis


def write_analysis(analysis: Analysis, folder: Path) -> None:
    """Write analysis.json and all figures with their data into a folder."""
    from unnp.sampling.figures import write_figures

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnnpError(f"cannot make the folder {folder}: {error.strerror or error}.") from None
    write_figures(analysis, folder)
    text = json.dumps(analysis.to_dict(), indent=2, allow_nan=False)
    write_atomically(folder / "analysis.json", text + "\n")


def _pressure(samples: Samples, settings: AnalysisConfig) -> float | None:
    if settings.pressure is None:
        return None
    if samples.pressure is None:
        raise SamplingError(
            "the run was made at constant volume; results at a given `pressure` do not exist. Leave it out."
        )
    return settings.pressure / unit_names(samples.header).pressure_factor


def _phases(
    samples: Samples, pressure: float | None, temperature_range: tuple[float, float], settings: AnalysisConfig
) -> tuple[Phases | None, str, float | None]:
    """Return phases, or None with the reason; and a first melting temperature."""
    try:
        phases, temperature = find_phases(samples, pressure, temperature_range, settings.dividing_order)
    except SamplingError as error:
        return None, str(error), None
    return phases, "", temperature


def _states(
    samples: Samples, blocks: Blocks, multiplicity: np.ndarray, settings: AnalysisConfig
) -> tuple[DensityOfStates | None, list[str]]:
    try:
        return density_of_states(samples, blocks, multiplicity, settings), []
    except SamplingError as error:
        return None, [f"no density of states: {error}"]


def _profiles(
    samples: Samples,
    blocks: Blocks,
    multiplicity: np.ndarray,
    pressure: float | None,
    centre: float,
    temperature_range: tuple[float, float],
    settings: AnalysisConfig,
) -> list[Profile]:
    wanted = [centre * (1 + k * PROFILE_STEP) for k in (-1, 0, 1)]
    inside = [t for t in wanted if temperature_range[0] <= t <= temperature_range[1]]
    return [profile(samples, blocks, multiplicity, t, pressure, settings.order_bins) for t in inside]


def _halves(sums: WeightedSums, blocks: Blocks) -> dict[str, float]:
    halves = np.vstack([blocks.first_half, ~blocks.first_half]).astype(float)
    middle = len(sums.temperatures) // 2
    first, second = sums.averages(sums.both_phases(sums.combined(halves)))["enthalpy"][:, middle].tolist()
    return {"temperature": float(sums.temperatures[middle]), "first_enthalpy": first, "second_enthalpy": second}


def _notes(blocks: Blocks, phases: Phases | None, passages: int, settings: AnalysisConfig) -> list[str]:
    notes = []
    if blocks.n_independent < MIN_INDEPENDENT:
        notes.append(
            f"the rows are worth {blocks.n_independent:.1f} independent samples; below {MIN_INDEPENDENT}, error bars are rough."
        )
    if phases is not None and passages < settings.min_passages:
        notes.append(
            f"{passages} passages between the phases: averages near Tm mix them in a ratio that is not known yet."
        )
    return notes
