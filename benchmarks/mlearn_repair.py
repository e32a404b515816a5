"""Write copies of the Si and Ge files of mlearn in which the shear stresses of the strained cells stand where they belong.

In the group Elastic of both elements the labels of yz and xz are exchanged: a diamond cell that is sheared in xz has, by its
symmetry, a stress in xz, but the label has it in yz. No potential can learn that together with the energies.

    python benchmarks/mlearn_repair.py Si_train.extxyz.gz Si_test.extxyz.gz -o repaired
"""

from __future__ import annotations

import argparse
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

SHEARS = [3, 4, 5]  # yz, xz, xy in ASE's order
REPAIRED = [0, 1, 2, 4, 3, 5]


def shear_strain(atoms: Atoms) -> np.ndarray:
    """Return yz, xz and xy of the strain that makes a cubic cell this one."""
    gradient = atoms.cell.array / np.cbrt(atoms.get_volume())
    strain = 0.5 * (gradient + gradient.T)
    return np.array([strain[1, 2], strain[0, 2], strain[0, 1]])


def correlations(frames: list[Atoms]) -> np.ndarray:
    """Return the cosines between each shear strain (rows) and each shear stress (columns) over the frames."""
    strain = np.array([shear_strain(atoms) for atoms in frames])
    stress = np.array([atoms.get_stress()[SHEARS] for atoms in frames])
    return strain.T @ stress / np.outer(np.linalg.norm(strain, axis=0), np.linalg.norm(stress, axis=0))


def repair(atoms: Atoms) -> None:
    """Exchange yz and xz of the stress label."""
    labels = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
    atoms.calc = SinglePointCalculator(atoms, **labels, stress=atoms.get_stress()[REPAIRED])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the copies")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for file in arguments.files:
        frames = ase.io.read(file, ":")
        strained = [atoms for atoms in frames if atoms.info.get("group") == "Elastic"]
        before = correlations(strained)
        if not np.allclose(before, np.eye(3)[[1, 0, 2]], atol=0.02):
            raise SystemExit(
                f"{file}: yz and xz are not exchanged here; strain and stress correlate as\n{before.round(2)}"
            )
        for atoms in strained:
            repair(atoms)
        assert np.allclose(correlations(strained), np.eye(3), atol=0.02)
        ase.io.write(arguments.output / file.name, frames, format="extxyz")
        print(f"{arguments.output / file.name}: {len(strained)} of {len(frames)} frames repaired")


if __name__ == "__main__":
    main()
