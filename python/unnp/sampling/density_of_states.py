"""The configurational density of states over enthalpy and order, and the entropy.

Samples obey ``rho(H, s) ~ n(H, s) exp{-b0 [H + Vb(H, s)]}``, hence

    ln n(H, s) = ln sum_{rows in bin} exp{b0 (H + Vb)} + constant ,   S(H) = k ln sum_s n(H, s) ,   1 / T(H) = dS / dH

n counts configurations; momenta are not in it. H = E + P0 V, so that at P0 n is the isobaric density of states.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unnp.errors import SamplingError
from unnp.sampling.blocks import Blocks
from unnp.sampling.config import AnalysisConfig
from unnp.sampling.samples import Samples

MIN_ROWS = 10
MIN_BLOCKS = 3
BIN_WIDTH = 0.25
"""Width of the enthalpy bins over the standard deviation in a harmonic solid at T0, sqrt(3 N / 2) k T0."""
WINDOW = 7
"""Bins in the local parabola that slopes are taken from."""
ROUNDS = 4


@dataclass(frozen=True)
class DensityOfStates:
    """Density of states of the whole cell; logarithms have an arbitrary constant.

    Attributes:
        enthalpy: (n_h,) centres of the bins of H [energy].
        order: (n_s,) centres of the bins of s.
        log_density: (n_h, n_s) ln n(H, s), highest value 0, -inf in bins without samples.
        entropy: (n_h,) S(H) / k, 0 at the first bin.
        entropy_error: (n_h,) of the difference from the bin that has most rows.
        temperature: (n_h,) T(H) = dH / dS.
        temperature_error: (n_h,).
    """

    enthalpy: np.ndarray
    order: np.ndarray
    log_density: np.ndarray
    entropy: np.ndarray
    entropy_error: np.ndarray
    temperature: np.ndarray
    temperature_error: np.ndarray


def density_of_states(
    samples: Samples, blocks: Blocks, multiplicity: np.ndarray, settings: AnalysisConfig
) -> DensityOfStates:
    """Return ln n(H, s), S(H) and T(H) over the enthalpies that the samples cover without a gap.

    ln n changes by many units within a bin. Each row is therefore first shifted along the local slope to the centre of its
    bin, ``- (H - H_c) / k T(H_c)``, with T(H) from the previous of four rounds.

    Args:
        samples: biased samples.
        blocks: blocks that divide the rows.
        multiplicity: (replicas, n_blocks) of the bootstrap.
        settings: numbers of bins.

    Raises:
        SamplingError: fewer than seven neighbouring bins hold enough samples.
    """
    edges = _enthalpy_edges(samples, blocks, settings.enthalpy_bins)
    inside = (samples.enthalpy >= edges[0]) & (samples.enthalpy < edges[-1])
    samples, block = samples.select(inside), blocks.index[inside]
    n_bins, width = len(edges) - 1, edges[1] - edges[0]
    centres = edges[:-1] + 0.5 * width
    cell = np.minimum(((samples.enthalpy - edges[0]) / width).astype(int), n_bins - 1)
    slope_of = _slope_matrix(n_bins, float(width))
    b0 = 1 / (samples.boltzmann * samples.temperature)
    slope = np.full(n_bins, b0)
    for _ in range(ROUNDS):
        logs = b0 * (samples.enthalpy + samples.bias) - slope[cell] * (samples.enthalpy - centres[cell])
        shift = np.full(n_bins, -np.inf)
        np.maximum.at(shift, cell, logs)
        weight = np.exp(logs - shift[cell])
        slope = slope_of @ (shift + np.log(np.bincount(cell, weight, n_bins)))
    table = np.bincount(block * n_bins + cell, weight, blocks.n_blocks * n_bins).reshape(blocks.n_blocks, n_bins)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = shift + np.log(table.sum(0))
        replicas = shift + np.log(multiplicity @ table)
        slopes = replicas @ slope_of.T
    fullest = int(np.bincount(cell, minlength=n_bins).argmax())
    with np.errstate(invalid="ignore"):
        entropy_error = blocks.error(replicas - replicas[:, [fullest]])
    order, log_density = _over_order(samples, cell, logs, n_bins, settings.order_bins)
    return DensityOfStates(
        centres,
        order,
        log_density,
        entropy - entropy[0],
        entropy_error,
        1 / (samples.boltzmann * slope),
        blocks.error(slopes) / (samples.boltzmann * slope**2),
    )


def _enthalpy_edges(samples: Samples, blocks: Blocks, n_bins: int | None) -> np.ndarray:
    """Return edges of equal bins over the longest stretch in which every bin has enough rows of enough blocks."""
    low, high = float(samples.enthalpy.min()), float(samples.enthalpy.max())
    if n_bins is None:
        thermal_width = np.sqrt(1.5 * samples.n_atoms) * samples.boltzmann * samples.temperature
        n_bins = max(10, int(np.ceil((high - low) / (BIN_WIDTH * thermal_width))))
    edges = np.linspace(low, high, n_bins + 1)
    cell = np.clip(np.searchsorted(edges, samples.enthalpy, side="right") - 1, 0, n_bins - 1)
    rows = np.bincount(cell, minlength=n_bins)
    pairs = np.unique(cell * blocks.n_blocks + blocks.index)
    enough = (rows >= MIN_ROWS) & (np.bincount(pairs // blocks.n_blocks, minlength=n_bins) >= MIN_BLOCKS)
    ends = np.flatnonzero(np.diff(np.pad(enough.astype(int), 1)))
    stretches = ends.reshape(-1, 2)
    first, last = max(stretches.tolist(), key=lambda s: s[1] - s[0], default=(0, 0))
    if last - first < WINDOW:
        raise SamplingError(
            f"fewer than {WINDOW} neighbouring bins of enthalpy hold {MIN_ROWS} rows from {MIN_BLOCKS} stretches of time; run "
            "longer, or set fewer enthalpy_bins."
        )
    return edges[first : last + 1]


def _slope_matrix(n_bins: int, width: float) -> np.ndarray:
    """Return the matrix (n_bins, n_bins) that turns values into slopes of the parabola through the 7 bins around each."""
    matrix = np.zeros((n_bins, n_bins))
    for k in range(n_bins):
        first = min(max(k - WINDOW // 2, 0), n_bins - WINDOW)
        x = (np.arange(first, first + WINDOW) - k) * width
        matrix[k, first : first + WINDOW] = np.linalg.pinv(np.vander(x, 3, increasing=True))[1]
    return matrix


def _over_order(
    samples: Samples, cell: np.ndarray, logs: np.ndarray, n_enthalpy: int, n_order: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return centres (n_order,) of bins of s, and ln n(H, s), (n_enthalpy, n_order), highest value 0."""
    edges = np.linspace(samples.order.min(), max(samples.order.max(), samples.order.min() + 1e-12), n_order + 1)
    column = np.clip(np.searchsorted(edges, samples.order, side="right") - 1, 0, n_order - 1)
    cells = cell * n_order + column
    shift = np.full(n_enthalpy * n_order, -np.inf)
    np.maximum.at(shift, cells, logs)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = shift + np.log(np.bincount(cells, np.exp(logs - shift[cells]), len(shift)))
    total[~np.isfinite(total)] = -np.inf
    return 0.5 * (edges[1:] + edges[:-1]), (total - total.max()).reshape(n_enthalpy, n_order)
