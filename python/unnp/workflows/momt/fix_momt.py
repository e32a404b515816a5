"""The command ``fix momt`` of a run."""

from __future__ import annotations

from unnp.lammps.commands import command
from unnp.units import BAR_PER_GPA
from unnp.workflows.momt.basins import Basins
from unnp.workflows.momt.config import MomtConfig

# Without updates there is no bias.
UNBIASED = "mode opes freeze 0"


def fix_momt(config: MomtConfig, log: str, options: str, *, temperature: float | None = None) -> str:
    """Return the command.

    Args:
        config: the run's configuration, with its order parameter settled.
        log: file of the samples, a row every ``pace`` steps.
        options: the bias' settings.
        temperature: T0 [K], where it is not that of the run.
    """
    low, high = config.temperatures
    words = [
        f"momt all momt T0 {temperature or config.reference_temperature:.10g}",
        f"temps {low:.10g} {high:.10g} {config.n_temperatures}",
    ]
    if config.pressure is not None:
        words.append(f"press {config.pressure * BAR_PER_GPA:.10g}")
    words += config.order.keywords()
    return command("fix", " ".join([*words, options, f"pace {config.pace} log {log} {config.pace}"]))


def bias_arguments(config: MomtConfig, basins: Basins) -> str:
    """Return mode and settings of the bias, and the basins between which round trips are counted."""
    words = [f"mode {config.bias.kind}", *config.bias.words(basins)]
    if config.has_order:
        words.append(f"basins {basins.liquid:.4g} {basins.solid:.4g}")
    return " ".join(words)
