"""The command ``fix momt`` of a run."""

from __future__ import annotations

from dataclasses import dataclass

from unnp.lammps.deck import BAR_PER_GPA
from unnp.lammps.system import command
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.ensemble_config import Bias, NoOrder, OpesBias, WtBias
from unnp.workflows.momt.order import arguments

# Without updates there is no bias.
UNBIASED = "mode opes freeze 0"


@dataclass(frozen=True)
class Basins:
    """What the observe phase found.

    Attributes:
        liquid: s below this is liquid.
        solid: s above this is solid.
        enthalpies: lowest and highest enthalpy of the ensemble [eV].
    """

    liquid: float
    solid: float
    enthalpies: tuple[float, float]


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
    elif isinstance(bias, WtBias):
        given = {"observe": bias.observe, "height": bias.height, "gamma": bias.gamma, "sigma": bias.sigma}
    else:
        low, high = basins.enthalpies
        given = {"bins": bias.bins, "increment": bias.increment}
        return [f"enthalpy {low:.8g} {high:.8g} {bias.enthalpy_bins}", *_given(given)]
    return _given(given)


def _given(values: dict[str, float | int | None]) -> list[str]:
    return [f"{name} {value:.10g}" for name, value in values.items() if value is not None]
