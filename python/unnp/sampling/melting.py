"""The melting point, and what changes there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unnp.errors import SamplingError
from unnp.sampling.blocks import Blocks
from unnp.sampling.config import AnalysisConfig
from unnp.sampling.estimate import Estimate
from unnp.sampling.free_energy import LIQUID, SOLID, FreeEnergyCurve, free_energy_curve, log_weight_ratio
from unnp.sampling.phases import Phases
from unnp.sampling.reweighting import WeightedSums

MAX_LOST = 0.05
"""share of bootstrap replicas that may have no melting point"""
CHANGES = ("enthalpy", "energy", "volume")


@dataclass(frozen=True)
class Melting:
    """The melting point of the simulated cell.

    Attributes:
        temperature: Tm, where dG = 0.
        latent_heat: L = <H>_liquid - <H>_solid at Tm [energy/atom].
        energy_change: the same of E [energy/atom].
        volume_change: the same of V [length^3/atom].
        slope: dP/dT = L / (Tm dV), Clausius and Clapeyron [energy/length^3/temperature]; None where dV is not told from 0.
        phases: dividing value and peaks of s.
        passages: between the phases, all walkers.
        halves: Tm from the first and from the second half of all walkers; None where a half has no Tm.
        drift: change of dG / k Tm, at Tm, from the first half to the second.
        curve: dG(T).
    """

    temperature: Estimate
    latent_heat: Estimate
    energy_change: Estimate
    volume_change: Estimate
    slope: Estimate | None
    phases: Phases
    passages: int
    halves: tuple[float | None, float | None]
    drift: float
    curve: FreeEnergyCurve


def melting(
    sums: WeightedSums,
    blocks: Blocks,
    multiplicity: np.ndarray,
    phases: Phases,
    passages: int,
    settings: AnalysisConfig,
) -> Melting:
    """Return the melting point with everything that changes there.

    Tm is the root of dG(T) by linear interpolation of dG / k T on the grid, of all samples and of each bootstrap replica;
    L, dV and dP/dT of a replica are taken at the replica's own Tm.

    Args:
        sums: sums over phases 0 (liquid) and 1 (solid), on a fine grid of temperatures.
        blocks: blocks that divide the samples.
        multiplicity: (replicas, n_blocks) of the bootstrap.
        phases: phase that each sample is in.
        passages: between them.
        settings: fewest passages, smallest effective fraction.

    Raises:
        SamplingError: too few passages, no Tm in the supported range, or one too near its end.
    """
    if passages < settings.min_passages:
        raise SamplingError(
            f"{passages} passages between solid and liquid, at least {settings.min_passages} are needed; run longer, or with "
            "more walkers. Where passages are rare, the cell is too large or the bias had not converged."
        )
    curve = free_energy_curve(sums, blocks, multiplicity, settings.min_effective_fraction)
    _check_inside(curve)
    rows = np.vstack([np.ones(blocks.n_blocks), blocks.first_half, ~blocks.first_half, multiplicity])
    found = _at_melting(sums, sums.combined(rows), curve)
    _check_replicas(curve, found["temperature"][3:])
    estimate = {name: Estimate(float(v[0]), float(blocks.error(v[3:]))) for name, v in found.items()}
    has_slope = abs(estimate["volume"].value) > 2 * estimate["volume"].error > 0
    first, second = (float(t) if np.isfinite(t) else None for t in found["temperature"][1:3])
    return Melting(
        estimate["temperature"],
        estimate["enthalpy"],
        estimate["energy"],
        estimate["volume"],
        estimate["slope"] if has_slope else None,
        phases,
        passages,
        (first, second),
        _drift(sums, rows[1:3], estimate["temperature"].value),
        curve,
    )


def _check_inside(curve: FreeEnergyCurve) -> None:
    if ((curve.difference[:-1] < 0) & (curve.difference[1:] >= 0)).any():
        return
    low, high = curve.temperatures[[0, -1]]
    stable, hint = ("solid", "Raise") if curve.difference[-1] < 0 else ("liquid", "Lower")
    raise SamplingError(
        f"Tm lies outside {low:.4g} to {high:.4g}, which the samples of both phases support: the {stable} is stable "
        f"there. {hint} `temps` of the run."
    )


def _check_replicas(curve: FreeEnergyCurve, temperatures: np.ndarray) -> None:
    lost = float(np.isnan(temperatures).mean())
    if lost > MAX_LOST:
        raise SamplingError(
            f"{100 * lost:.0f} % of the bootstrap replicas have no Tm between {curve.temperatures[0]:.4g} and "
            f"{curve.temperatures[-1]:.4g}: it is too uncertain, or too near the end of what the samples support. Run longer, "
            "or change `temps`."
        )


def _at_melting(sums: WeightedSums, moments: np.ndarray, curve: FreeEnergyCurve) -> dict[str, np.ndarray]:
    """Return Tm, changes on melting and slope for each set of moments (n_sets, n_t, 2, 6), (n_sets,) each."""
    first = int(np.searchsorted(sums.temperatures, curve.temperatures[0]))
    kept = slice(first, first + len(curve.temperatures))
    ratio = log_weight_ratio(sums, moments)[:, kept]
    k, fraction = _crossing(ratio, curve)
    rows = np.arange(len(ratio))

    def interpolated(values: np.ndarray) -> np.ndarray:
        values = np.broadcast_to(values, ratio.shape)
        return (1 - fraction) * values[rows, k] + fraction * values[rows, k + 1]

    result = {"temperature": interpolated(curve.temperatures)}
    liquid, solid = (sums.averages(moments[:, :, phase]) for phase in (LIQUID, SOLID))
    for name in CHANGES:
        result[name] = interpolated((liquid[name] - solid[name])[:, kept])
    with np.errstate(divide="ignore", invalid="ignore"):
        result["slope"] = result["enthalpy"] / (result["temperature"] * result["volume"])
    return result


def _crossing(ratio: np.ndarray, curve: FreeEnergyCurve) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval and the place in it, 0..1 or NaN, where each row of ratio (n_sets, n_t) passes 0.

    Of several, the one nearest to where the curve does so first.
    """
    near = curve.temperatures[np.flatnonzero((curve.difference[:-1] < 0) & (curve.difference[1:] >= 0))[0]]
    crossing = (ratio[:, :-1] > 0) & (ratio[:, 1:] <= 0) & np.isfinite(ratio[:, :-1]) & np.isfinite(ratio[:, 1:])
    k = np.where(crossing, np.abs(curve.temperatures[:-1] - near), np.inf).argmin(1)
    rows = np.arange(len(ratio))
    with np.errstate(divide="ignore", invalid="ignore"):
        fraction = ratio[rows, k] / (ratio[rows, k] - ratio[rows, k + 1])
    return k, np.where(crossing.any(1), fraction, np.nan)


def _drift(sums: WeightedSums, halves: np.ndarray, temperature: float) -> float:
    """Return the change of dG / k T at a temperature from one set of blocks to the next."""
    ratio = log_weight_ratio(sums, sums.combined(halves))
    first, second = (float(np.interp(temperature, sums.temperatures, row)) for row in ratio)
    return first - second
