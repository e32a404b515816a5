"""Free energies of the phases against each other, over temperature and over the order parameter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unnp.errors import SamplingError
from unnp.sampling.blocks import Blocks
from unnp.sampling.reweighting import WeightedSums, log_weights
from unnp.sampling.samples import Samples
from unnp.sampling.support import supported

LIQUID, SOLID = 0, 1
MIN_BLOCKS = 3


@dataclass(frozen=True)
class FreeEnergyCurve:
    """``dG(T) = G_solid - G_liquid`` of the whole cell.

    Attributes:
        temperatures: (n_t,).
        difference: (n_t,) [energy]; negative where the solid is stable.
        error: (n_t,).
    """

    temperatures: np.ndarray
    difference: np.ndarray
    error: np.ndarray


@dataclass(frozen=True)
class Profile:
    """``G(s) = -k T ln p(s)`` of the whole cell at one temperature, its lowest value 0.

    Attributes:
        temperature: T.
        order: (n_bins,) centres of the bins of s.
        free_energy: (n_bins,) [energy], NaN in bins with samples from fewer than three blocks.
        error: (n_bins,).
    """

    temperature: float
    order: np.ndarray
    free_energy: np.ndarray
    error: np.ndarray


def log_weight_ratio(sums: WeightedSums, moments: np.ndarray) -> np.ndarray:
    """Return ``ln(W_solid / W_liquid) = -dG / k T``, (..., n_t), of moments (..., n_t, 2, 6)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(moments[..., 0]) + sums.log_shift
        return logs[..., SOLID] - logs[..., LIQUID]


def free_energy_curve(
    sums: WeightedSums, blocks: Blocks, multiplicity: np.ndarray, min_fraction: float
) -> FreeEnergyCurve:
    """Return ``dG(T) = -k T ln(sum_{s > s*} w / sum_{s <= s*} w)``.

    It is given at the temperatures around dG = 0 that each phase's own rows support.

    Args:
        sums: sums over phases 0 (liquid) and 1 (solid).
        blocks: blocks that divide the samples.
        multiplicity: (replicas, n_blocks) of the bootstrap.
        min_fraction: smallest effective fraction.

    Raises:
        SamplingError: there is no such temperature.
    """
    good = supported(sums, min_fraction)[:, 1:].min(1)
    if not good.any():
        raise SamplingError("at no temperature do the samples of both phases have enough weight; run longer.")
    ratio = log_weight_ratio(sums, sums.whole())
    kept = _run_around(good, int(np.where(good, np.abs(ratio), np.inf).argmin()))
    kt = sums.boltzmann * sums.temperatures[kept]
    replicas = -kt * log_weight_ratio(sums, sums.combined(multiplicity))[:, kept]
    return FreeEnergyCurve(sums.temperatures[kept], -kt * ratio[kept], blocks.error(replicas))


def profile(
    samples: Samples,
    blocks: Blocks,
    multiplicity: np.ndarray,
    temperature: float,
    pressure: float | None,
    n_bins: int,
) -> Profile:
    """Return ``G(s) = -k T ln sum_{bin} w`` at one temperature, with errors of the normalised distribution."""
    edges = np.linspace(samples.order.min(), samples.order.max(), n_bins + 1)
    cell = np.clip(np.searchsorted(edges, samples.order, side="right") - 1, 0, n_bins - 1)
    logs = log_weights(samples, temperature, pressure)
    cells = blocks.index * n_bins + cell
    table = np.bincount(cells, np.exp(logs - logs.max()), blocks.n_blocks * n_bins).reshape(blocks.n_blocks, n_bins)
    kt = samples.boltzmann * temperature

    def free_energy(weights: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return -kt * np.log(weights / weights.sum(-1, keepdims=True))

    value = free_energy(table.sum(0))
    value[(table > 0).sum(0) < MIN_BLOCKS] = np.nan
    error = blocks.error(free_energy(multiplicity @ table))
    return Profile(temperature, 0.5 * (edges[1:] + edges[:-1]), value - np.nanmin(value), error)


def _run_around(good: np.ndarray, centre: int) -> slice:
    """Return the longest stretch of True that holds ``centre``."""
    bad = np.flatnonzero(~good)
    return slice(int(bad[bad < centre].max(initial=-1)) + 1, int(bad[bad > centre].min(initial=len(good))))
