"""What moves atoms for `unnp relax` and `unnp neb`: a calculator of ASE, or LAMMPS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

    from unnp.adapters.dispersion import D3Config
    from unnp.lammps.system_config import FixedConfig
    from unnp.workflows.relaxation.lammps.minimiser import LammpsMinimiser


def held_atoms(fixed: str, fixed_below: float | None) -> str | FixedConfig:
    """Return which atoms are held, from --fixed and --fixed-below; raise ConfigError where the latter is no height."""
    from unnp.config import from_dict
    from unnp.lammps.system_config import FixedConfig

    return fixed if fixed_below is None else from_dict({"below": fixed_below}, FixedConfig, where="--fixed-below")


def open_mover(
    potential: Path,
    head: str | None,
    optimiser: str,
    device: str,
    launch: Mapping[str, Any],
    d3: D3Config | None = None,
) -> Calculator | LammpsMinimiser:
    """Return a potential as an optimiser takes it.

    Args:
        potential: model or calculator file.
        head: level of theory of a model; None: its first.
        optimiser: one of ASE, or LAMMPS' own.
        device: where a model runs.
        launch: how LAMMPS is started, by option; None: not given.
        d3: dispersion that is added; None: none.

    Raises:
        ConfigError: settings that are wrong, or that the optimiser does not have; a potential that LAMMPS cannot run.
        ModelError: the file is no exported model, or has no such head.
    """
    from unnp.adapters.opening import check_device, open_calculator
    from unnp.config import from_dict
    from unnp.errors import ConfigError
    from unnp.lammps.launch import Launch
    from unnp.lammps.opening import open_interaction
    from unnp.workflows.relaxation.config import LAMMPS
    from unnp.workflows.relaxation.lammps.minimiser import LammpsMinimiser

    given = {name: word for name, word in launch.items() if word is not None}
    if optimiser == LAMMPS:
        check_device(potential, device)
        settings = from_dict({**given, "device": device}, Launch, where="the options")
        return LammpsMinimiser(open_interaction(potential, head, d3), potential.parent, settings)
    if given:
        raise ConfigError(
            f"--{', --'.join(given)}: the optimiser {optimiser} runs in one process; take `--optimiser {LAMMPS}`."
        )
    return open_calculator(potential, head, device, d3)
