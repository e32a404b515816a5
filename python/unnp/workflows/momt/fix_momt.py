"""The command ``fix momt`` of a run."""

from __future__ import annotations

from dataclasses import dataclass

from unnp.lammps.commands import command
from unnp.units import BAR_PER_GPA
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.ensemble_config import Bias, NoOrder, OpesBias, WtBias
from unnp.workflows.momt.order import arguments

# Without updates there is no bias.
UNBIASED = "mode opes freeze 0"


@dataclass(frozen=True)
class Grid:
    """Of h = H + tilt s, for Wang and Landau.

    Attributes:
        low, high: ends of h [eV].
        width: of a bin [eV].
        tilt: [eV].
    """

    low: float
    high: float
    width: float
    tilt: float


@dataclass(frozen=True)
class Basins:
    """What the observe phase found.

    Attributes:
        liquid: s below this is liquid.
        solid: s above this is solid.
        enthalpies: lowest and highest enthalpy of the ensemble [eV].
        grid: over both phases from the lowest to the highest temperature.
    """

    liquid: float
    solid: float
    enthalpies: tuple[float, float]
    grid: Grid


def fix_momt(config: MomtConfig, log: str, options: str, *, temperature: float | None = None) -> str:
    """Return the command.

    Args:
        config: of the run; its order parameter is settled.
        log: file of the samples, a row every ``pace`` steps.
        options: of the bias.
        temperature: T0 [K], where it is not that of the run.
    """
    low, high = config.temperatures
    words = [
        f"momt all momt T0 {temperature or config.reference_temperature:.10g}",
        f"temps {low:.10g} {high:.10g} {config.n_temperatures}",
    ]
    if config.pressure is not None:
        words.append(f"press {config.pressure * BAR_PER_GPA:.10g}")
    words += [f"order {arguments(config.order)}"]
    if not isinstance(config.order, NoOrder) and config.order.range is not None:
        words.append("range {:.10g} {:.10g}".format(*config.order.range))
    return command("fix", " ".join([*words, options, f"pace {config.pace} log {log} {config.pace}"]))


def bias_arguments(config: MomtConfig, basins: Basins) -> str:
    """Return mode and settings of the bias, and the basins between which round trips are counted."""
    words = [f"mode {config.bias.kind}", *_settings(config.bias, basins)]
    if config.has_order:
        words.append(f"basins {basins.liquid:.4g} {basins.solid:.4g}")
    return " ".join(words)


def _settings(bias: Bias, basins: Basins) -> list[str]:
    if isinstance(bias, OpesBias):
        given = {name: getattr(bias, name) for name in ("barrier", "observe", "memory", "sigma", "free")}
        bridge = [] if bias.bridge is None else ["bridge {:.10g} {:.10g}".format(*bias.bridge)]
        return [*_given(given), *bridge]
    if isinstance(bias, WtBias):
        given = {"observe": bias.observe, "height": bias.height, "gamma": bias.gamma, "sigma": bias.sigma}
    else:
        grid = basins.grid
        n_bins = bias.enthalpy_bins or max(1, round((grid.high - grid.low) / grid.width))
        given = {"bins": bias.bins, "increment": bias.increment}
        return [f"enthalpy {grid.low:.8g} {grid.high:.8g} {n_bins} tilt {grid.tilt:.6g}", *_given(given)]
    return _given(given)


def _given(values: dict[str, float | int | None]) -> list[str]:
    return [f"{name} {value:.10g}" for name, value in values.items() if value is not None]
