"""How far a run has come, for people who watch it: coverage of the enthalpy and the melting point so far."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unnp.errors import DataError, SamplingError
from unnp.sampling.phases import find_phases
from unnp.sampling.samples import Samples, read_samples
from unnp.sampling.support import supported_range
from unnp.workflows.momt.basins import Basins

BURN_IN = 0.3
SUPPORT = 0.005
"""Least effective fraction; smaller than for results, as this is a first look."""
BINS = 20


def so_far(logs: list[Path], basins: Basins) -> str:
    """Return a phrase such as "H covered 95 %  Tm ~ 931 K", without what the samples do not say yet.

    Args:
        logs: logs, one for each walker.
        basins: the enthalpies between which coverage is counted.
    """
    try:
        samples = read_samples(logs)
    except DataError:
        return ""
    parts = [f"H covered {100 * coverage(samples.enthalpy, basins.enthalpies):.0f} %", _melting(samples)]
    return "  ".join(part for part in parts if part)


def coverage(enthalpy: np.ndarray, limits: tuple[float, float]) -> float:
    """Return the share of 20 bins between two enthalpies in which there are samples."""
    return float((np.histogram(enthalpy, BINS, limits)[0] > 0).mean())


def _melting(samples: Samples) -> str:
    """Return where both phases weigh the same, from the last 70 % of the rows; rough while the bias still changes."""
    last = np.array([samples.step[samples.walker == w].max() for w in np.unique(samples.walker)])
    samples = samples.select(samples.step >= BURN_IN * last[samples.walker])
    try:
        temperatures = supported_range(samples, None, SUPPORT)
        phases, temperature = find_phases(samples, None, temperatures, None)
    except SamplingError:
        return ""
    return f"Tm ~ {temperature:.0f} K" if phases.passages(samples).sum() >= 2 else ""
