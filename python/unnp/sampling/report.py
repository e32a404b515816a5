"""The analysis of MOMT samples from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from unnp.errors import SamplingError, UnnpError
from unnp.files.writing import write_atomically
from unnp.sampling.analysis import Analysis, Densities, Evidence, ThermalAverages, Transition
from unnp.sampling.averages import averages, heat_capacities, round_values
from unnp.sampling.blocks import Blocks, make_blocks
from unnp.sampling.config import AnalysisConfig
from unnp.sampling.density_of_states import density_of_states
from unnp.sampling.free_energy import Profile, profile
from unnp.sampling.log_file import unit_names
from unnp.sampling.melting import melting
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
        settings: settings for the analysis.
        folder: gets analysis.json and the figures with their data; None writes nothing.

    Raises:
        SamplingError: too few rows; no temperature is supported; a pressure for a run at constant volume.
        UnnpError: the folder cannot be written.
    """
    evidence = _evidence(samples, settings)
    phases, refusal, near = _phases(evidence)
    listed, sums = _sums(evidence, phases)
    transition = _transition(evidence, phases, sums, refusal, near)
    least = settings.min_effective_fraction
    thermal = ThermalAverages(
        sums,
        averages(sums, evidence.blocks, evidence.multiplicity, listed, least),
        heat_capacities(sums, evidence.blocks, evidence.multiplicity, least),
        _halves(sums, evidence.blocks),
    )
    densities = _densities(evidence, transition.temperature)
    analysis = Analysis(evidence, thermal, transition, densities, _notes(evidence, transition, densities))
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


def _evidence(samples: Samples, settings: AnalysisConfig) -> Evidence:
    used = production(samples, settings.burn_in)
    pressure = _pressure(used, settings)
    blocks = make_blocks(used)
    return Evidence(
        samples=used,
        n_read=len(samples),
        settings=settings,
        asked_pressure=pressure,
        blocks=blocks,
        multiplicity=blocks.multiplicities(settings.replicas, settings.seed),
        temperature_range=supported_range(used, pressure, settings.min_effective_fraction),
    )


def _phases(evidence: Evidence) -> tuple[Phases | None, str, float | None]:
    """Return phases, or None with the reason; and a first melting temperature."""
    settings = evidence.settings
    try:
        phases, temperature = find_phases(
            evidence.samples, evidence.asked_pressure, evidence.temperature_range, settings.dividing_order
        )
    except SamplingError as error:
        return None, str(error), None
    return phases, "", temperature


def _sums(evidence: Evidence, phases: Phases | None) -> tuple[np.ndarray, WeightedSums]:
    """Return the temperatures that are listed, and the sums at these and at those of the curves."""
    samples, settings, limits = evidence.samples, evidence.settings, evidence.temperature_range
    labels = np.zeros(len(samples), dtype=int) if phases is None else phases.label(samples)
    listed = np.unique(settings.temperatures) if settings.temperatures else round_values(*limits, N_LISTED)
    temperatures = np.union1d(np.linspace(*limits, settings.grid), listed)
    return listed, weighted_sums(samples, temperatures, evidence.asked_pressure, labels, evidence.blocks)


def _transition(
    evidence: Evidence, phases: Phases | None, sums: WeightedSums, refusal: str, near: float | None
) -> Transition:
    if phases is None:
        return Transition(None, 0, None, refusal, near)
    passages = int(phases.passages(evidence.samples).sum())
    try:
        found = melting(sums, evidence.blocks, evidence.multiplicity, phases, passages, evidence.settings)
    except SamplingError as error:
        return Transition(phases, passages, None, str(error), near)
    return Transition(phases, passages, found, "", found.temperature.value)


def _densities(evidence: Evidence, centre: float | None) -> Densities:
    profiles = [] if centre is None else _profiles(evidence, centre)
    try:
        states = density_of_states(evidence.samples, evidence.blocks, evidence.multiplicity, evidence.settings)
    except SamplingError as error:
        return Densities(profiles, None, str(error))
    return Densities(profiles, states, "")


def _profiles(evidence: Evidence, centre: float) -> list[Profile]:
    """Return profiles at a temperature and somewhat below and above it, as far as these are supported."""
    low, high = evidence.temperature_range
    wanted = [centre * (1 + k * PROFILE_STEP) for k in (-1, 0, 1)]
    samples, blocks, multiplicity = evidence.samples, evidence.blocks, evidence.multiplicity
    pressure, bins = evidence.asked_pressure, evidence.settings.order_bins
    return [profile(samples, blocks, multiplicity, t, pressure, bins) for t in wanted if low <= t <= high]


def _halves(sums: WeightedSums, blocks: Blocks) -> dict[str, float]:
    halves = np.vstack([blocks.first_half, ~blocks.first_half]).astype(float)
    middle = len(sums.temperatures) // 2
    first, second = sums.averages(sums.both_phases(sums.combined(halves)))["enthalpy"][:, middle].tolist()
    return {"temperature": float(sums.temperatures[middle]), "first_enthalpy": first, "second_enthalpy": second}


def _notes(evidence: Evidence, transition: Transition, densities: Densities) -> tuple[str, ...]:
    notes = list(evidence.samples.notes)
    n_independent = evidence.blocks.n_independent
    if n_independent < MIN_INDEPENDENT:
        notes.append(
            f"the rows are worth {n_independent:.1f} independent samples; below {MIN_INDEPENDENT}, error bars are rough."
        )
    if transition.phases is not None and transition.passages < evidence.settings.min_passages:
        notes.append(
            f"{transition.passages} passages between the phases: averages near Tm mix them in a ratio that is not known "
            "yet."
        )
    if densities.refusal:
        notes.append(f"no density of states: {densities.refusal}")
    return tuple(notes)
