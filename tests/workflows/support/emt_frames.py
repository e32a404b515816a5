"""Rattled fcc cells of four atoms, labelled by EMT."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write


def write_emt_frames(folder: Path, counts: Mapping[str, int], element: str, a: float, spread: float) -> None:
    """Write ``PART.extxyz`` with so many frames each; lattice constants [A] scatter around ``a`` by ``spread``."""
    random = np.random.default_rng(0)
    for part, n in counts.items():
        frames = []
        for _ in range(n):
            atoms = bulk(element, cubic=True, a=a + spread * random.standard_normal())
            atoms.positions += 0.1 * random.standard_normal((4, 3))
            atoms.calc = EMT()
            labels = {
                "energy": atoms.get_potential_energy(),
                "forces": atoms.get_forces(),
                "stress": atoms.get_stress(),
            }
            atoms.calc = SinglePointCalculator(atoms, **labels)
            frames.append(atoms)
        write(folder / f"{part}.extxyz", frames)
