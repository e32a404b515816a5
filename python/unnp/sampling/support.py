"""What the samples support: effective sample sizes, and no extrapolation beyond what was sampled."""

from __future__ import annotations

import numpy as np

from unnp.errors import SamplingError
from unnp.sampling.reweighting import WeightedSums, edge_rows, log_weights
from unnp.sampling.samples import Samples

SCAN_ROWS = 100_000
MAX_EDGE_WEIGHT = 0.05
"""largest share of the weight that may lie on the edge of the samples: more means that the distribution reaches beyond it"""


def thinned(samples: Samples) -> Samples:
    """Return every k-th row, at most 100,000: enough to search with."""
    return samples.select(np.arange(0, len(samples), -(-len(samples) // SCAN_ROWS)))


def effective_fraction(log_weight: np.ndarray) -> float:
    """Return Kish's effective sample size over the number of rows, ``(sum w)^2 / (n sum w^2)``."""
    weight = np.exp(log_weight - log_weight.max())
    return float(weight.sum() ** 2 / np.square(weight).sum() / len(weight))


def supported_range(samples: Samples, pressure: float | None, min_fraction: float) -> tuple[float, float]:
    """Return the lowest and highest temperature of the range around the best one that the samples support.

    Args:
        samples: biased samples.
        pressure: P, None for that of the run.
        min_fraction: smallest effective fraction that counts as support.

    Raises:
        SamplingError: no temperature is supported.
    """
    samples = thinned(samples)
    edge = edge_rows(samples, pressure)
    temperatures = samples.temperature * np.geomspace(0.25, 4.0, 241)
    fractions, edges = np.empty(len(temperatures)), np.empty(len(temperatures))
    for k, temperature in enumerate(temperatures):
        logs = log_weights(samples, temperature, pressure)
        weight = np.exp(logs - logs.max())
        fractions[k], edges[k] = effective_fraction(logs), weight[edge].sum() / weight.sum()
    good = (fractions >= min_fraction) & (edges <= MAX_EDGE_WEIGHT)
    best = int(np.where(edges <= MAX_EDGE_WEIGHT, fractions, -1).argmax())
    if not good.any():
        raise SamplingError(
            f"the samples support no temperature: at {temperatures[best]:.4g}, the best, the effective sample size is "
            f"{100 * fractions[best]:.2g} % of the rows (at least {100 * min_fraction:g} % is asked for), or the weight lies "
            "on the edge of what was sampled. The bias had not converged, or the pressure is too far from that of the run."
        )
    poor = np.flatnonzero(~good)
    low = int(poor[poor < best].max(initial=-1)) + 1
    high = int(poor[poor > best].min(initial=len(temperatures))) - 1
    return float(temperatures[low]), float(temperatures[high])


def supported(sums: WeightedSums, min_fraction: float) -> np.ndarray:
    """Return which temperatures the samples support: for all rows, then for those of each phase, (n_t, 1 + n_phases)."""
    return (sums.effective_fractions() >= min_fraction) & (sums.edge_shares() <= MAX_EDGE_WEIGHT)


def refusal(sums: WeightedSums, k: int, min_fraction: float) -> str:
    """Return why averages at the k-th temperature are refused, empty where they are not."""
    fraction, edge = float(sums.effective_fractions()[k, 0]), float(sums.edge_shares()[k, 0])
    if fraction < min_fraction:
        return f"the effective sample size is {100 * fraction:.2g} % of the rows, below {100 * min_fraction:g} %"
    if edge > MAX_EDGE_WEIGHT:
        return f"{100 * edge:.0f} % of the weight lies on the edge of the sampled enthalpies and volumes: T is outside them"
    return ""
