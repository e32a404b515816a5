"""How far the stress labels of the mlearn data are from the strain derivative of their own energies.

For the frames strained along one axis, a polynomial through the energies is differentiated and compared with the labels:

    python benchmarks/mlearn_stress_labels.py Ni_train.extxyz.gz Ni_test.extxyz.gz
"""

from __future__ import annotations

import sys

import ase.io
import numpy as np
from unnp.units import GPA_PER_EV_PER_A3

AXIS_TOLERANCE, FORCE_TOLERANCE = 1e-3, 0.02


def strained_along_one_axis(paths: list[str]) -> dict[float, tuple[float, float, float]]:
    """Return ``{strain: (energy per atom [eV], stress along the axis [eV/A^3], volume per atom [A^3])}``."""
    frames = [
        frame
        for path in paths
        for frame in ase.io.read(path, ":")
        if np.abs(frame.get_forces()).max() < FORCE_TOLERANCE
    ]
    frames = [f for f in frames if np.allclose(f.cell.angles(), 90, atol=1e-3) and len(f) == max(map(len, frames))]
    lengths = np.array([frame.cell.lengths() for frame in frames])
    unstrained = np.median(lengths)
    found = {}
    for frame, strain in zip(frames, lengths / unstrained - 1, strict=True):
        axis = int(np.argmax(np.abs(strain)))
        if (np.abs(np.delete(strain, axis)) < AXIS_TOLERANCE).all():
            n = len(frame)
            label = float(frame.get_stress()[axis])
            found[round(float(strain[axis]), 3)] = (frame.get_potential_energy() / n, label, frame.get_volume() / n)
    return dict(sorted(found.items()))


def main(paths: list[str]) -> None:
    """Print strain, stress from the energies, stress label and their difference."""
    found = strained_along_one_axis(paths)
    strain = np.array(list(found))
    energy, label, volume = np.array(list(found.values())).T
    derivative = np.polyval(np.polyder(np.polyfit(strain, energy, 5)), strain)
    from_energy = GPA_PER_EV_PER_A3 * derivative * (1 + strain) / volume
    label = GPA_PER_EV_PER_A3 * label
    print("strain   dE/dstrain/V   label   label - derivative   [GPa]")
    for row in zip(strain, from_energy, label, label - from_energy, strict=True):
        print("{:6.3f}   {:12.2f}   {:5.2f}   {:18.2f}".format(*row))
    difference = label - from_energy
    print(f"mean difference {difference.mean():.2f} GPa, {difference.min():.2f} to {difference.max():.2f}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
