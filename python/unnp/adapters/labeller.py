"""ASE calculator on a labeller: whatever ``unnp data label`` can compute with, ASE can too, LAMMPS pair styles included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.data.labellers import build_labeller


class LabellerCalculator(Calculator):
    """ASE calculator: energy, forces and, for structures periodic in all directions, stress of a labeller.

    Args:
        settings: ``kind`` and settings, as in the calculator file of ``unnp data label``.
        folder: where relative file names in the settings begin.

    Raises:
        ConfigError: wrong settings.
        UnnpError: in a calculation: the labeller failed, or an element is unknown.
    """

    name = "unnp-labeller"
    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012 - ASE declares it so

    def __init__(self, settings: Mapping[str, Any], folder: str | Path = ".", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._labeller = build_labeller(settings, Path(folder))
        further = [QUANTITIES[name].ase for name in getattr(self._labeller.config, "labels", ())]
        self.implemented_properties = [*type(self).implemented_properties, *further]
        self.elements: list[str] = self._labeller.elements
        """Chemical symbols that it knows; empty where it does not say."""

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Fill ``results``; energy, forces and stress come together."""
        super().calculate(atoms, properties, system_changes)
        labelled = self._labeller.label(Structure.from_atoms(cast(Atoms, self.atoms)))
        self.results = {"energy": labelled.energy, "free_energy": labelled.energy, "forces": labelled.forces}
        if labelled.stress is not None:
            self.results["stress"] = full_3x3_to_voigt_6_stress(labelled.stress)
        self.results |= {QUANTITIES[name].ase: value for name, value in labelled.further.items()}
