"""The ASE calculator gives what the potential in memory gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unnp.adapters.ase import UnnpCalculator
from unnp.testing.checking import Measurement, check, close
from unnp.testing.committees import SHAPES, Committee, committee_of
from unnp.testing.subject import Subject


@check
def check_ase(subject: Subject) -> Iterator[Measurement]:
    """The ASE calculator gives what the potential in memory gives, in float64 and in float32."""
    for dtype in ("float64", "float32"):
        committee = committee_of(subject, dtype)
        for shape in SHAPES:
            yield from compare_with_ase(committee, shape, subject.folder)


def compare_with_ase(committee: Committee, shape: str, folder: Path) -> Iterator[Measurement]:
    """Yield the differences between the ASE calculator on the exported file and the potentials in memory.

    Args:
        committee: what is exported.
        shape: which structure.
        folder: folder for the file.
    """
    atoms = committee.structure(shape)
    expected = committee.predict(atoms)
    atoms.calc = UnnpCalculator(committee.file(folder), device="cpu")
    tolerance, where = committee.tolerance(np.asarray(expected.forces)), f"({committee.name}, {shape})"
    energy = float(expected.energy)
    yield close(f"forces {where}", atoms.get_forces(), expected.forces, tolerance)
    yield close(f"energy {where}", atoms.get_potential_energy(), energy, committee.relative() * abs(energy))
    yield close(f"energies of atoms {where}", atoms.get_potential_energies(), expected.atomic_energy, tolerance)
    if atoms.pbc.all():
        yield close(f"stress {where}", atoms.get_stress(voigt=False), np.asarray(expected.stress)[0], tolerance)
