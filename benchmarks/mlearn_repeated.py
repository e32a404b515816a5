"""Which test frames of mlearn stand in the training file too, and a copy of the test file without them.

    python benchmarks/mlearn_repeated.py Cu_train.extxyz.gz Cu_test.extxyz.gz -o Cu_unseen.extxyz

Two frames are the same where they have the same number of atoms, energies within 0.2 meV/atom, and forces of the same lengths
within 1 meV/A: copies may be turned, shifted or in another order.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from unnp.atoms.structure import Structure
from unnp.data.opening import open_structures
from unnp.data.readers import ReadOptions
from unnp.data.writing import write_structures

ENERGY_TOLERANCE, FORCE_TOLERANCE = 2e-4, 1e-3


def same(one: Structure, other: Structure) -> bool:
    """Tell whether two frames are copies of each other."""
    if len(one) != len(other) or one.energy is None or other.energy is None:
        return False
    if abs(one.energy - other.energy) > ENERGY_TOLERANCE * len(one):
        return False
    lengths = [np.sort(np.linalg.norm(frame.forces, axis=1)) for frame in (one, other) if frame.forces is not None]
    return len(lengths) == 2 and bool(np.allclose(*lengths, atol=FORCE_TOLERANCE, rtol=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("-o", "--output", type=Path, help="test frames that the training file does not hold")
    arguments = parser.parse_args()
    train, test = (
        list(open_structures([path], ReadOptions(required=("energy", "forces"))))
        for path in (arguments.train, arguments.test)
    )
    unseen = [frame for frame in test if not any(same(frame, other) for other in train)]
    print(f"{arguments.test}: {len(test) - len(unseen)} of {len(test)} frames are in {arguments.train} too")
    if arguments.output:
        write_structures(unseen, arguments.output, overwrite=True)


if __name__ == "__main__":
    main()
