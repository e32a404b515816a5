"""Ensemble averages at any temperature and pressure from samples of one biased ensemble.

Samples obey ``rho ~ exp{-b0 [H + Vb(H, s)]}`` with ``b = 1 / k T`` and ``H = E + P0 V``. Averages at T and P are

    <A> = sum A w / sum w ,   ln w = b0 (H + Vb) - b (E + P V)

(Torrie and Valleau, J. Comput. Phys. 23, 187 (1977)). Exponents reach hundreds: all sums are of ``exp(ln w - max ln w)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unnp.errors import SamplingError
from unnp.sampling.blocks import Blocks
from unnp.sampling.samples import Samples

OBSERVABLES = ("energy", "volume", "enthalpy", "order")
N_MOMENTS = 2 + len(OBSERVABLES)
EDGE = 0.001
"""share of the rows, on each side of enthalpy and volume, that are the edge of what was sampled"""
MIN_EDGE_ROWS = 5


def log_weights(samples: Samples, temperature: float, pressure: float | None = None) -> np.ndarray:
    """Return ``ln w = b0 (H + Vb) - b (E + P V)``, (n,), up to a constant.

    Args:
        samples: biased samples.
        temperature: T.
        pressure: P [energy / length^3]; None for that of the run.

    Raises:
        SamplingError: a pressure for a run at constant volume.
    """
    b0, b = 1 / (samples.boltzmann * samples.temperature), 1 / (samples.boltzmann * temperature)
    return b0 * (samples.enthalpy + samples.bias) - b * enthalpy_at(samples, pressure)


def enthalpy_at(samples: Samples, pressure: float | None) -> np.ndarray:
    """Return ``E + P V`` (n,), with P = P0 for None; raise SamplingError for a pressure at constant volume."""
    if pressure is None or pressure == samples.pressure:
        return samples.enthalpy
    if samples.pressure is None:
        raise SamplingError(
            "the run was made at constant volume: its samples know nothing of other volumes, so that averages at a given "
            "pressure do not exist. Leave out `pressure`, or run with `press P0` and a barostat."
        )
    return samples.energy + pressure * samples.volume


def log_sum_exp(values: np.ndarray) -> float:
    """Return ``ln sum exp(values)`` without overflow, -inf for no values."""
    if not len(values):
        return -np.inf
    largest = float(values.max())
    return largest + float(np.log(np.exp(values - largest).sum()))


def edge_rows(samples: Samples, pressure: float | None) -> np.ndarray:
    """Return a mask (n,) of the outermost rows, 0.1 % on each side of E + P V and of V."""
    edge = np.zeros(len(samples), dtype=bool)
    share = max(EDGE, MIN_EDGE_ROWS / len(samples))
    for values in (enthalpy_at(samples, pressure), samples.volume):
        low, high = np.quantile(values, [min(share, 0.5), max(1 - share, 0.5)])
        edge |= (values < low) | (values > high)
    return edge


@dataclass(frozen=True)
class WeightedSums:
    """Sums over the samples at several temperatures, by phase and block; all averages and their errors come from these.

    Attributes:
        temperatures: (n_t,).
        log_shift: (n_t, n_phases) logarithm that the sums have to be multiplied with.
        sums: (n_t, n_phases, n_blocks, 6) of w times 1, each of OBSERVABLES less its offset, and the square of the enthalpy's.
        squares: (n_t, n_phases) sum of w^2, twice shifted.
        edges: (n_t, n_phases, 2) sum of w on the edge of all samples, and on that of the phase's own.
        counts: (n_phases,) rows.
        offsets: (4,) means of OBSERVABLES over the rows.
        n_atoms, boltzmann: of the samples.
    """

    temperatures: np.ndarray
    log_shift: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    edges: np.ndarray
    counts: np.ndarray
    offsets: np.ndarray
    n_atoms: int
    boltzmann: float

    def whole(self) -> np.ndarray:
        """Return the moments of all blocks, (n_t, n_phases, 6)."""
        return self.sums.sum(2)

    def combined(self, multiplicity: np.ndarray) -> np.ndarray:
        """Return the moments of sets of blocks, (n_sets, n_t, n_phases, 6), for multiplicities (n_sets, n_blocks)."""
        return np.einsum("rb,tpbm->rtpm", multiplicity, self.sums, optimize=True)

    def both_phases(self, moments: np.ndarray) -> np.ndarray:
        """Return moments (..., n_t, n_phases, 6) summed over the phases, (..., n_t, 6)."""
        return (moments * self._phase_scale()[..., None]).sum(-2)

    def effective_fractions(self) -> np.ndarray:
        """Return Kish's effective fraction of all rows, then of each phase's own, (n_t, 1 + n_phases)."""
        weight, scale = self.sums[..., 0].sum(2), self._phase_scale()
        total = (weight * scale).sum(1) ** 2 / (self.squares * scale**2).sum(1) / self.counts.sum()
        own = weight**2 / np.where(self.squares > 0, self.squares, 1.0) / np.maximum(self.counts, 1)
        return np.column_stack([total, own])

    def edge_shares(self) -> np.ndarray:
        """Return which share of the weight lies on the samples' edge, for all, then for each phase (n_t, 1 + n_phases)."""
        weight, scale = self.sums[..., 0].sum(2), self._phase_scale()
        total = (self.edges[..., 0] * scale).sum(1) / (weight * scale).sum(1)
        return np.column_stack([total, self.edges[..., 1] / np.where(weight > 0, weight, 1.0)])

    def averages(self, moments: np.ndarray) -> dict[str, np.ndarray]:
        """Return averages of moments (..., n_t, 6): OBSERVABLES and heat_capacity, each (..., n_t), per atom but for order.

        ``heat_capacity = (<H^2> - <H>^2) / (k T^2) + (3/2) N k`` includes the kinetic part. NaN where there is no weight.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            means = moments[..., 1:] / moments[..., :1]
        result = {name: means[..., i] + self.offsets[i] for i, name in enumerate(OBSERVABLES)}
        variance = means[..., 4] - means[..., OBSERVABLES.index("enthalpy")] ** 2
        capacity = variance / (self.boltzmann * self.temperatures**2) + 1.5 * self.boltzmann * self.n_atoms
        result["heat_capacity"] = capacity
        return {name: value if name == "order" else value / self.n_atoms for name, value in result.items()}

    def _phase_scale(self) -> np.ndarray:
        return np.exp(self.log_shift - self.log_shift.max(1, keepdims=True))


def weighted_sums(
    samples: Samples, temperatures: np.ndarray, pressure: float | None, phase: np.ndarray, blocks: Blocks
) -> WeightedSums:
    """Sum the weights and weighted observables of every block and phase.

    Args:
        samples: biased samples, n rows.
        temperatures: (n_t,).
        pressure: P, None for that of the run.
        phase: (n,) int phase of each row from 0, none of them empty; all 0 where phases are not told apart.
        blocks: blocks that divide the rows.
    """
    n_phases = int(phase.max()) + 1
    enthalpy = enthalpy_at(samples, pressure)
    unbiased = (samples.enthalpy + samples.bias) / (samples.boltzmann * samples.temperature)
    observed = np.stack([samples.energy, samples.volume, enthalpy, samples.order])
    offsets = observed.mean(1)
    observed -= offsets[:, None]
    own_edge = np.zeros(len(samples), dtype=bool)
    for p in range(n_phases):
        own_edge[phase == p] = edge_rows(samples.select(phase == p), pressure)
    factors = [np.ones(len(samples)), *observed, observed[2] ** 2, edge_rows(samples, pressure), own_edge]
    columns = np.stack(factors, axis=1).astype(float)
    b = 1 / (samples.boltzmann * np.asarray(temperatures, dtype=float))
    n_cells = n_phases * blocks.n_blocks
    shift = np.full((n_cells, len(b)), -np.inf)
    sums = np.zeros((n_cells, len(b), columns.shape[1]))
    squares = np.zeros((n_cells, len(b)))
    for cell, rows in enumerate(_rows_of(phase * blocks.n_blocks + blocks.index, n_cells)):
        if len(rows):
            logs = unbiased[rows, None] - enthalpy[rows, None] * b
            shift[cell] = logs.max(0)
            weight = np.exp(logs - shift[cell])
            sums[cell] = weight.T @ columns[rows]
            squares[cell] = np.square(weight).sum(0)
    shape = (n_phases, blocks.n_blocks, len(b))
    log_shift = shift.reshape(shape).max(1)
    scale = np.exp(shift.reshape(shape) - log_shift[:, None])
    sums = (sums.reshape(*shape, -1) * scale[..., None]).transpose(2, 0, 1, 3)
    return WeightedSums(
        np.asarray(temperatures, dtype=float),
        log_shift.T,
        sums[..., :N_MOMENTS],
        (squares.reshape(shape) * scale**2).sum(1).T,
        sums[..., N_MOMENTS:].sum(2),
        np.bincount(phase, minlength=n_phases),
        offsets,
        samples.n_atoms,
        samples.boltzmann,
    )


def _rows_of(cell: np.ndarray, n_cells: int) -> list[np.ndarray]:
    """Return the rows of each cell."""
    return np.split(np.argsort(cell, kind="stable"), np.cumsum(np.bincount(cell, minlength=n_cells))[:-1])
