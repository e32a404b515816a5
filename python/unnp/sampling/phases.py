"""Telling solid from liquid: the dividing value of the order parameter, and passages between the phases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unnp.errors import SamplingError
from unnp.sampling.reweighting import log_sum_exp, log_weights
from unnp.sampling.samples import Samples
from unnp.sampling.support import thinned

BINS = 100
SMOOTHING = 2.0
"""width of the Gaussian that the histogram of s is smoothed with [bins]"""
MIN_SHARE = 0.02
"""smallest share of the weight that makes a phase"""
MAX_VALLEY = 0.5
"""the histogram's value between the phases over that of the lower peak, above which they are not told apart"""
OUTLIERS = 0.001
MAX_ROUNDS = 30


@dataclass(frozen=True)
class Phases:
    """Where the phases lie on the order parameter.

    Attributes:
        dividing: s*, liquid at or below, solid above.
        liquid, solid: most likely values of the phases at the melting point.
    """

    dividing: float
    liquid: float
    solid: float

    def label(self, samples: Samples) -> np.ndarray:
        """Return the phase of each row, (n,) int: 0 liquid, 1 solid."""
        return (samples.order > self.dividing).astype(int)

    def passages(self, samples: Samples) -> np.ndarray:
        """Return how often each walker went from one phase to the other, (n_walkers,) int.

        It has arrived when it is half way from s* to the peak of the other phase: recrossings of s* do not count.
        """
        low, high = 0.5 * (self.dividing + self.liquid), 0.5 * (self.dividing + self.solid)
        inside = (samples.order <= low) | (samples.order >= high)
        solid, walker = samples.order[inside] >= high, samples.walker[inside]
        arrived = (np.diff(solid.astype(int)) != 0) & (np.diff(walker) == 0)
        return np.bincount(walker[1:][arrived], minlength=int(samples.walker.max()) + 1)


def find_phases(
    samples: Samples, pressure: float | None, temperatures: tuple[float, float], dividing: float | None
) -> tuple[Phases, float]:
    """Find the phases and a first melting temperature.

    Begins with the middle of the sampled range of s; then, until nothing changes: T where both sides weigh the same,
    histogram of s there, s* at its lowest value between the two peaks.

    Args:
        samples: biased samples.
        pressure: P, None for that of the run.
        temperatures: range that the samples support.
        dividing: s*, or None to find it.

    Raises:
        SamplingError: no order parameter; both sides have the same weight at no temperature; one peak only.
    """
    if samples.header.order == "none":
        raise SamplingError(
            "the run had no order parameter (`order none`), so that solid and liquid cannot be told apart."
        )
    samples = thinned(samples)
    low, high = np.quantile(samples.order, [0.02, 0.98])
    if not samples.order.min() < samples.order.max():
        raise SamplingError(f"the order parameter is {samples.order[0]:.4g} throughout: it does not see the crystal.")
    if dividing is not None and not samples.order.min() < dividing < samples.order.max():
        raise SamplingError(
            f"dividing_order {dividing:g} lies outside the sampled order parameters, {samples.order.min():.3g} to "
            f"{samples.order.max():.3g}; leave it out to have it found."
        )
    current = float(0.5 * (low + high)) if dividing is None else dividing
    seen: set[float] = set()
    for _ in range(MAX_ROUNDS):
        seen.add(current)
        temperature = equal_weight_temperature(samples, pressure, temperatures, current)
        phases = _peaks(samples, pressure, temperature, fixed=dividing)
        current = phases.dividing
        if current in seen:
            break
    return phases, equal_weight_temperature(samples, pressure, temperatures, current)


def equal_weight_temperature(
    samples: Samples, pressure: float | None, temperatures: tuple[float, float], dividing: float
) -> float:
    """Return T at which rows above and below s* have the same weight; raise SamplingError where there is none."""
    solid = samples.order > dividing

    def difference(temperature: float) -> float:
        logs = log_weights(samples, temperature, pressure)
        return log_sum_exp(logs[solid]) - log_sum_exp(logs[~solid])

    grid = np.linspace(*temperatures, 31)
    values = np.array([difference(t) for t in grid])
    roots = np.flatnonzero((values[:-1] > 0) & (values[1:] <= 0))
    if not len(roots):
        raise SamplingError(_no_root(samples, temperatures, values, dividing))
    best = roots[np.abs(grid[roots] - samples.temperature).argmin()]
    low, high = float(grid[best]), float(grid[best + 1])
    while high - low > 1e-6 * high:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if difference(middle) > 0 else (low, middle)
    return 0.5 * (low + high)


def order_histogram(
    samples: Samples, pressure: float | None, temperature: float, n_bins: int = BINS
) -> tuple[np.ndarray, np.ndarray]:
    """Return bin centres and the weight in each bin of s, (n_bins,) each, at T and P; the weights sum to 1.

    The bins span what was sampled but for 0.1 % at each end, which the outermost bins take in: one outlier moves nothing.
    """
    logs = log_weights(samples, temperature, pressure)
    weight = np.exp(logs - logs.max())
    low, high = np.quantile(samples.order, [OUTLIERS, 1 - OUTLIERS])
    counts, edges = np.histogram(np.clip(samples.order, low, high), bins=n_bins, weights=weight)
    return 0.5 * (edges[1:] + edges[:-1]), counts / counts.sum()


def _peaks(samples: Samples, pressure: float | None, temperature: float, fixed: float | None) -> Phases:
    centres, share = order_histogram(samples, pressure, temperature)
    smooth = _smoothed(share)
    if fixed is None:
        pair = _best_pair(share, smooth)
    else:
        below = centres <= fixed
        pair = int(np.where(below, smooth, -1).argmax()), int(np.where(below, -1, smooth).argmax())
    valley = pair[0] + int(smooth[pair[0] : pair[1] + 1].argmin()) if pair else 0
    if pair is None or smooth[valley] > MAX_VALLEY * min(smooth[pair[0]], smooth[pair[1]]):
        raise SamplingError(
            f"the phases are not separated: the distribution of the order parameter at {temperature:.4g} has no valley between "
            f"two peaks ({samples.order.min():.3g} to {samples.order.max():.3g} were sampled). Only one phase was "
            "visited, or the order parameter does not see the crystal, or the cell is too small to have two phases."
        )
    dividing = float(centres[valley]) if fixed is None else fixed
    return Phases(dividing, float(centres[pair[0]]), float(centres[pair[1]]))


def _best_pair(share: np.ndarray, smooth: np.ndarray) -> tuple[int, int] | None:
    """Return the bins of the highest peak and of the one best separated from it, in ascending order."""
    padded = np.pad(smooth, 1, constant_values=-1)
    peaks = np.flatnonzero((padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:]))
    top = int(smooth.argmax())
    best, best_depth = None, 0.0
    for peak in peaks[peaks != top]:
        first, last = min(peak, top), max(peak, top)
        valley = first + int(smooth[first : last + 1].argmin())
        beyond = share[valley:].sum() if peak > top else share[: valley + 1].sum()
        # The smoothed histogram may be 0 in the valley, and then the two are as far apart as can be.
        depth = smooth[peak] / max(smooth[valley], 1e-300)
        if beyond >= MIN_SHARE and depth > best_depth:
            best, best_depth = (int(first), int(last)), depth
    return best


def _smoothed(share: np.ndarray) -> np.ndarray:
    """Return a histogram after a Gaussian filter that reflects at the ends: a phase may sit at s = 0."""
    reach = int(4 * SMOOTHING)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / SMOOTHING) ** 2)
    return np.convolve(np.pad(share, reach, mode="symmetric"), kernel / kernel.sum(), mode="valid")


def _no_root(samples: Samples, temperatures: tuple[float, float], values: np.ndarray, dividing: float) -> str:
    begin = (
        f"the samples support {temperatures[0]:.4g} to {temperatures[1]:.4g}, and order parameters of "
        f"{samples.order.min():.3g} to {samples.order.max():.3g} were sampled;"
    )
    if (values > 0).all():
        return (
            f"{begin} at all these temperatures the solid (s > {dividing:.3g}) is stable: Tm lies above. Raise `temps`."
        )
    if (values < 0).all():
        return f"{begin} at all these temperatures the liquid (s < {dividing:.3g}) is stable: Tm lies below. Lower `temps`."
    return (
        f"{begin} at no temperature does the solid (s > {dividing:.3g}) give way to the liquid on heating. Were both phases "
        "visited?"
    )
