"""Averages and heat capacities over temperature, with errors, where the samples support them."""

from __future__ import annotations

import numpy as np

from unnp.sampling.analysis import Averages, Curve
from unnp.sampling.blocks import Blocks
from unnp.sampling.estimate import Estimate
from unnp.sampling.free_energy import LIQUID, SOLID
from unnp.sampling.reweighting import WeightedSums
from unnp.sampling.support import refusal, supported


def round_values(low: float, high: float, n: int) -> np.ndarray:
    """Return about n multiples of 1, 2 or 5 times a power of ten between two temperatures, or the ends where none fits."""
    rough = max((high - low) / n, 1e-9 * high)
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(m for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
    values = step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)
    return values if len(values) else np.unique([low, high])


def averages(
    sums: WeightedSums, blocks: Blocks, multiplicity: np.ndarray, listed: np.ndarray, min_fraction: float
) -> list[Averages]:
    """Return averages with errors at the listed temperatures, which are among those of the sums; or why there are none."""
    values = sums.averages(sums.both_phases(sums.whole()))
    replicas = sums.averages(sums.both_phases(sums.combined(multiplicity)))
    errors = {name: blocks.error(columns) for name, columns in replicas.items()}
    fractions = sums.effective_fractions()[:, 0]
    rows = []
    for k in np.searchsorted(sums.temperatures, listed):
        temperature, fraction = float(sums.temperatures[k]), float(fractions[k])
        if reason := refusal(sums, int(k), min_fraction):
            rows.append(Averages(temperature, fraction, None, reason))
        else:
            found = {name: Estimate(float(values[name][k]), float(errors[name][k])) for name in values}
            rows.append(Averages(temperature, fraction, found))
    return rows


def heat_capacities(
    sums: WeightedSums, blocks: Blocks, multiplicity: np.ndarray, min_fraction: float
) -> dict[str, Curve]:
    """Return the heat capacity per atom of "all" and, where told apart, of "solid" and "liquid"; NaN where not supported."""
    whole, replicas = sums.whole(), sums.combined(multiplicity)
    parts = {"all": (sums.both_phases(whole), sums.both_phases(replicas))}
    if whole.shape[1] == 2:
        parts |= {n: (whole[:, p], replicas[:, :, p]) for n, p in (("solid", SOLID), ("liquid", LIQUID))}
    columns = {"all": 0, "liquid": 1 + LIQUID, "solid": 1 + SOLID}
    curves = {}
    for name, (moments, resampled) in parts.items():
        good = supported(sums, min_fraction)[:, columns[name]]
        value = np.where(good, sums.averages(moments)["heat_capacity"], np.nan)
        error = np.where(good, blocks.error(sums.averages(resampled)["heat_capacity"]), np.nan)
        curves[name] = Curve(sums.temperatures, value, error)
    return curves
