"""The melting point as far as a run has come, for people who watch it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unnp.errors import DataError, SamplingError
from unnp.sampling.phases import find_phases
from unnp.sampling.samples import read_samples
from unnp.sampling.support import supported_range
from unnp.workflows.momt.config import MomtConfig

BURN_IN = 0.3
SUPPORT = 0.005
"""effective fraction; smaller than for results, as this is a first look"""


def melting_estimate(logs: list[Path], config: MomtConfig) -> str:
    """Return a phrase such as "Tm ~ 931 K", empty where the samples do not say yet.

    The temperature at which both phases have the same weight, from the last 70 % of the rows; while the bias still changes
    this is a rough guide.
    """
    if not config.has_order:
        return ""
    try:
        samples = read_samples(logs)
        begin = {w: BURN_IN * samples.step[samples.walker == w].max() for w in np.unique(samples.walker)}
        samples = samples.select(samples.step >= np.array([begin[w] for w in samples.walker]))
        temperatures = supported_range(samples, None, SUPPORT)
        phases, temperature = find_phases(samples, None, temperatures, None)
    except (SamplingError, DataError):
        return ""
    return f"Tm ~ {temperature:.0f} K" if phases.passages(samples).sum() >= 2 else ""
