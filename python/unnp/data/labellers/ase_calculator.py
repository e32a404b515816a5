"""Labels from an ASE calculator, named from a fixed list, so that a YAML file cannot name code to run."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from ase.calculators.calculator import Calculator
from ase.stress import voigt_6_to_full_3x3_stress
from pydantic import Field, JsonValue

from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.data.labellers.base import FurtherLabels, Labeller, register
from unnp.errors import ConfigError, UnnpError, unknown

# name: (module, class). More come in through the entry-point group unnp.calculators.
CALCULATORS = {
    "emt": ("ase.calculators.emt", "EMT"),
    "lj": ("ase.calculators.lj", "LennardJones"),
    "morse": ("ase.calculators.morse", "MorsePotential"),
    "dftd3": ("ase.calculators.dftd3", "DFTD3"),
    "vasp": ("ase.calculators.vasp", "Vasp"),
    "espresso": ("ase.calculators.espresso", "Espresso"),
    "abinit": ("ase.calculators.abinit", "Abinit"),
    "aims": ("ase.calculators.aims", "Aims"),
    "castep": ("ase.calculators.castep", "Castep"),
    "cp2k": ("ase.calculators.cp2k", "CP2K"),
    "dftb": ("ase.calculators.dftb", "Dftb"),
    "gpaw": ("gpaw", "GPAW"),
    "kim": ("ase.calculators.kim", "KIM"),
    "nwchem": ("ase.calculators.nwchem", "NWChem"),
    "orca": ("ase.calculators.orca", "ORCA"),
    "siesta": ("ase.calculators.siesta", "Siesta"),
}

# Calculators that take any parameter and ignore those they do not know.
_CARELESS = ("emt", "lj", "morse")

# Parameters with which a file could start programs; ASE's own configuration says which program a calculator runs.
_REFUSED = re.compile(r"command|profile|exec|exe$|shell|script", re.IGNORECASE)


class AseConfig(Config):
    """An ASE calculator and its parameters."""

    name: str
    """Calculator: emt, lj, morse, ... or one of the entry-point group `unnp.calculators`."""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    """Keyword arguments of the calculator."""
    labels: FurtherLabels = Field(default_factory=list)
    """Further labels to take over, e.g. `[charges]`, where the calculator gives them."""


@register("ase")
class AseLabeller(Labeller):
    """Labels from one ASE calculator; one that works with files gets a temporary folder (TMPDIR) of its own."""

    Config = AseConfig

    def __init__(self, config: AseConfig, folder: Path) -> None:
        super().__init__(config, folder)
        make = _calculator_class(config.name)
        _check_parameters(config, make)
        try:
            self._calculator: Calculator = make(**config.parameters)
        except Exception as error:  # each calculator checks its parameters in its own way
            raise ConfigError(f"the calculator '{config.name}' cannot be set up: {error}") from None
        implemented = getattr(self._calculator, "implemented_properties", ())
        self._has_stress = "stress" in implemented
        for name in config.labels:
            if QUANTITIES[name].ase not in implemented:
                raise ConfigError(f"the calculator '{config.name}' does not give {name}; leave it out of `labels`.")
        # Calculators that work with files would write over each other's.
        self._scratch = TemporaryDirectory(prefix=f"unnp-{config.name}-")
        with suppress(AttributeError):
            self._calculator.directory = Path(self._scratch.name)  # some of ASE's take nothing else

    @classmethod
    def files(cls, config: AseConfig, folder: Path) -> list[Path]:
        """Return the files among the parameters, whose relative names begin at the working directory, as ASE has it."""
        return [Path(word) for word in _words(config.parameters) if os.path.isfile(word)]

    def close(self) -> None:
        self._scratch.cleanup()

    def compute(self, structure: Structure) -> dict[str, Any]:
        atoms = structure.to_atoms()
        atoms.calc = self._calculator
        try:
            labels = {"energy": float(atoms.get_potential_energy()), "forces": np.array(atoms.get_forces())}
            if self._has_stress and np.all(structure.pbc):
                labels["stress"] = voigt_6_to_full_3x3_stress(np.array(atoms.get_stress(voigt=True)))
            for name in self.config.labels:
                labels[name] = np.array(self._calculator.get_property(QUANTITIES[name].ase, atoms))
            return labels
        except Exception as error:  # a calculator may raise anything
            message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise UnnpError(f"{structure.source or 'structure'}: {self.config.name} failed ({message}).") from None


def _words(value: JsonValue) -> Iterator[str]:
    """Yield the texts in a parameter, of all depths."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _words(inner)


def _check_parameters(config: AseConfig, make: Callable[..., Any]) -> None:
    """Raise ConfigError for parameters that could start programs, and for those that would be ignored."""
    for name in config.parameters:
        if _REFUSED.search(name):
            raise ConfigError(
                f"calculator.parameters.{name} is refused, because a configuration must not start programs; say in "
                "ASE's configuration (~/.config/ase/config.ini or ASE_<NAME>_COMMAND) which program is run."
            )
        allowed = getattr(make, "default_parameters", {})
        if config.name in _CARELESS and name not in allowed:
            raise ConfigError(unknown(f"parameter of {config.name}", name, allowed))


def _calculator_class(name: str) -> Callable[..., Any]:
    outside = {entry.name: entry for entry in entry_points(group="unnp.calculators")}
    if name in outside:
        return outside[name].load()
    if name not in CALCULATORS:
        raise ConfigError(unknown("ASE calculator", name, [*CALCULATORS, *outside]))
    module, attribute = CALCULATORS[name]
    try:
        return getattr(import_module(module), attribute)
    except ImportError as error:
        raise ConfigError(f"the calculator '{name}' is not installed: {error}.") from None
