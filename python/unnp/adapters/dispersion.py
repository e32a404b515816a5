"""D3, Grimme's dispersion correction: an ASE calculator that gives the numbers of LAMMPS' ``pair_style dispersion/d3``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress
from ase.units import Bohr, Hartree
from pydantic import Field, FiniteFloat, field_validator

from unnp.config import Config
from unnp.errors import ConfigError, UnnpError, in_one_line

HEAVIEST = 94
"""Elements up to this atomic number have parameters, in LAMMPS too."""


class D3Config(Config):
    """A D3 correction without its three-body term.

    S. Grimme, J. Antony, S. Ehrlich, H. Krieg, J. Chem. Phys. 132, 154104 (2010); damping bj: S. Grimme, S. Ehrlich,
    L. Goerigk, J. Comput. Chem. 32, 1456 (2011).
    """

    functional: str = "pbe"
    """density functional that the model's labels were computed with, as pbe, revpbe, b3lyp"""
    damping: Literal["bj", "zero"] = "bj"
    """at short distances: to a finite energy (bj), or to zero"""
    cutoff: Annotated[FiniteFloat, Field(gt=0, le=100)] = 30.0
    """longest distance between two atoms [A]; LAMMPS' ghost shell is as wide"""
    coordination_cutoff: Annotated[FiniteFloat, Field(gt=0, le=100)] = 20.0
    """longest distance that counts for coordination numbers [A], not above `cutoff`"""

    @field_validator("functional")
    @classmethod
    def _one_word(cls, functional: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", functional):
            raise ValueError("the name of a functional is one word, as pbe")
        return functional

    @field_validator("coordination_cutoff")
    @classmethod
    def _within(cls, length: float, info: Any) -> float:
        if length > info.data.get("cutoff", length):
            raise ValueError("not above `cutoff`")
        return length


class D3Calculator(Calculator):
    """ASE calculator of the D3 correction alone, by the package dftd3: add it to a potential with ASE's ``SumCalculator``.

    Args:
        settings: functional, damping, cutoffs.

    Raises:
        ConfigError: dftd3 is not installed, or does not know the functional.
        UnnpError: in a calculation: an element without parameters.
    """

    name = "unnp-d3"
    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012 - ASE declares it so

    def __init__(self, settings: D3Config | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._settings = settings or D3Config()
        try:
            from dftd3.interface import RationalDampingParam, ZeroDampingParam
        except ImportError:
            raise ConfigError("D3 in ASE needs the package dftd3: pip install 'unnp[d3]'.") from None
        kind = {"bj": RationalDampingParam, "zero": ZeroDampingParam}[self._settings.damping]
        try:
            self._damping = kind(method=self._settings.functional, atm=False)
        except RuntimeError as error:
            raise ConfigError(f"d3: functional '{self._settings.functional}': {in_one_line(str(error))}.") from None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Fill ``results``; energy, forces and stress come together."""
        from dftd3.interface import DispersionModel

        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None
        if strange := sorted(
            {symbol for symbol, z in zip(self.atoms.symbols, self.atoms.numbers, strict=True) if not 1 <= z <= HEAVIEST}
        ):
            raise UnnpError(f"d3: there are no parameters for {', '.join(strange)}, only for H to Pu.")
        cell = self.atoms.cell.complete().array / Bohr
        try:
            model = DispersionModel(self.atoms.numbers, self.atoms.positions / Bohr, cell, self.atoms.pbc)
            model.set_realspace_cutoff(self._settings.cutoff / Bohr, 0.0, self._settings.coordination_cutoff / Bohr)
            found = model.get_dispersion(self._damping, grad=True)
        except RuntimeError as error:
            raise UnnpError(f"d3: {in_one_line(str(error))}") from None
        energy = float(found["energy"]) * Hartree
        forces = -np.asarray(found["gradient"]) * Hartree / Bohr
        self.results = {"energy": energy, "free_energy": energy, "forces": forces}
        if self.atoms.cell.rank == 3:
            stress = np.asarray(found["virial"]) * Hartree / self.atoms.get_volume()
            self.results["stress"] = full_3x3_to_voigt_6_stress(stress)
