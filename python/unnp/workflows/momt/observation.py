"""What the observe stage says about solid and liquid: basins of the order parameter, range of the enthalpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unnp.errors import LammpsError
from unnp.sampling.samples import Samples, read_samples
from unnp.units import BOLTZMANN_EV_PER_K
from unnp.workflows.momt.basins import Basins, Grid
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.deck import melt_temperature

DISTINCT = 2.0
"""Solid and liquid are told apart if they lie further apart than this many times their summed spreads."""
ENTHALPY_MARGIN = 4.0
"""Standard deviations by which the range of the enthalpy goes beyond the means."""
GRID_MARGIN = 1.0
"""The same for the grid where there is an order parameter: below its range there are other crystals, and a wall."""


def basins_of(config: MomtConfig, folder: Path) -> Basins:
    """Return what was found in the observe stage.

    Args:
        config: the run's configuration.
        folder: the run's folder.

    Raises:
        LammpsError: the enthalpy does not rise with the temperature, or the order parameter does not tell the solid from
            the liquid.
    """
    solid = _second_half(folder / "observe/momt.solid.log")
    liquid = _second_half(folder / "observe/momt.liquid.log")
    low = float(solid.enthalpy.mean() - ENTHALPY_MARGIN * solid.enthalpy.std())
    high = float(liquid.enthalpy.mean() + ENTHALPY_MARGIN * liquid.enthalpy.std())
    means = float(liquid.order.mean()), float(solid.order.mean())
    gap = means[1] - means[0]
    if config.has_order and gap < DISTINCT * (solid.order.std() + liquid.order.std()):
        raise LammpsError(_not_seen(config, solid, liquid))
    if liquid.enthalpy.mean() <= solid.enthalpy.mean():
        raise LammpsError(_falling(config, solid, liquid))
    grid = _grid(config, solid, liquid)
    below, above = config.order.basins(*means)
    return Basins(below, above, (low, high), grid)


def _grid(config: MomtConfig, solid: Samples, liquid: Samples) -> Grid:
    tilt = config.bias.tilt_of(_level_tilt(config, solid, liquid)) if config.has_order else 0.0
    levels = [phase.enthalpy + tilt * phase.order for phase in (solid, liquid)]
    margin = GRID_MARGIN if config.has_order else ENTHALPY_MARGIN
    low = levels[0].mean() - margin * levels[0].std()
    high = levels[1].mean() + margin * levels[1].std()
    width = float(np.mean([phase.enthalpy.std() for phase in (solid, liquid)]))
    grid = Grid(float(low), float(high), width, tilt)
    config.bias.check_grid(grid, config.temperatures)
    return grid


def _level_tilt(config: MomtConfig, solid: Samples, liquid: Samples) -> float:
    """Return (H_liq - H_sol) / (s_sol - s_liq) at one temperature [eV], corrected for the heat between the two observed
    ones with the heat capacity C = var(H) / k T^2."""
    capacities = [
        phase.enthalpy.var() / (BOLTZMANN_EV_PER_K * temperature**2)
        for phase, temperature in zip((solid, liquid), config.temperatures, strict=True)
    ]
    heat = np.mean(capacities) * (config.temperatures[1] - config.temperatures[0])
    latent = liquid.enthalpy.mean() - solid.enthalpy.mean() - heat
    return max(0.0, float(latent / (solid.order.mean() - liquid.order.mean())))


def _second_half(log: Path) -> Samples:
    """Return the samples of the second half of a run."""
    samples = read_samples([log])
    return samples.select(samples.step >= 0.5 * samples.step.max())


def _per_atom(*phases: Samples) -> list[float]:
    return [float(np.mean(phase.enthalpy)) / phase.n_atoms for phase in phases]


def _falling(config: MomtConfig, solid: Samples, liquid: Samples) -> str:
    low, high = config.temperatures
    per_atom = _per_atom(solid, liquid)
    return (
        f"the enthalpy is lower at {high:g} K ({per_atom[1]:.4f} eV/atom) than that of the structure given at {low:g} K "
        f"({per_atom[0]:.4f} eV/atom): the potential does not hold this structure, or stages.observe is too short to "
        "relax it. Check structure (lattice, a) and potential, or raise stages.observe."
    )


def _not_seen(config: MomtConfig, solid: Samples, liquid: Samples) -> str:
    settings = ", ".join(f"order.{name}" for name in type(config.order).model_fields)
    low, high = config.temperatures
    per_atom = _per_atom(solid, liquid)
    return (
        f"the order parameter does not tell the solid from the liquid: s = {solid.order.mean():.3f} +- "
        f"{solid.order.std():.3f} at {low:g} K, {liquid.order.mean():.3f} +- {liquid.order.std():.3f} at {high:g} K after "
        f"melting at {melt_temperature(config):g} K (enthalpies {per_atom[0]:.4f} and {per_atom[1]:.4f} eV/atom). "
        "Either it did not melt (raise stages.melt_temperature or stages.observe), or the solid melted (lower the lowest "
        f"temperature), or the order parameter does not fit the crystal ({settings})."
    )
