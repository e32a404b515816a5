"""Planes of a crystal that symmetry tells apart, and slabs cut along them."""

from __future__ import annotations

from itertools import product
from math import ceil, gcd

import numpy as np
from ase import Atoms
from ase.build import surface

Plane = tuple[int, int, int]
_SAME = 1e-3


def distinct_planes(crystal: Atoms, up_to: int) -> list[Plane]:
    """Return one plane of each kind that the symmetry of a crystal has, by increasing ``h^2 + k^2 + l^2``.

    Args:
        crystal: the cell to which the Miller indices belong.
        up_to: the largest index.
    """
    operations = _point_group(crystal)
    found: dict[Plane, None] = {}
    seen: set[Plane] = set()
    for plane in _all_planes(up_to):
        if plane not in seen:
            found[plane] = None
            turned = operations @ np.array(plane)
            seen.update(tuple(map(int, sign * each)) for each in turned for sign in (1, -1))  # type: ignore[misc]
    return sorted(found, key=lambda plane: (sum(k * k for k in plane), plane))


def cut(crystal: Atoms, plane: Plane, thickness: float, vacuum: float) -> Atoms:
    """Return a slab of whole repeats of a crystal, its surfaces in the widest gap between layers, vacuum along z.

    Where layers come in pairs, as (111) of diamond, that is the surface with the fewest bonds cut.

    Args:
        crystal: the cell to which the Miller indices belong.
        plane: Miller indices.
        thickness: at least [A].
        vacuum: between the slab and its image [A].
    """
    repeat = surface(crystal, plane, 1, periodic=True)
    height = float(repeat.cell[2, 2])
    z = np.sort(repeat.positions[:, 2] % height)
    gaps = np.diff(np.append(z, z[0] + height))
    k = int(np.argmax(gaps.round(6)))
    low = float(z[k] + gaps[k] / 2) % height
    layers = max(1, ceil(thickness / height - 1e-6))
    # cut out of a thicker one: repeats are shifted sideways, and an atom cannot be moved from below to above
    slab = surface(crystal, plane, layers + 1, periodic=True)
    slab = slab[(slab.positions[:, 2] >= low) & (slab.positions[:, 2] < low + layers * height)]
    slab.set_cell([*slab.cell[:2], [0, 0, np.ptp(slab.positions[:, 2]) + vacuum]])
    slab.center(axis=2)
    return Atoms(slab.numbers, slab.positions, cell=slab.cell, pbc=True)


def _all_planes(up_to: int) -> list[Plane]:
    """Return all planes without a common divisor, those first that people write: positive, falling indices."""
    indices = range(-up_to, up_to + 1)
    planes = [(h, k, l) for h, k, l in product(indices, indices, indices) if gcd(h, k, l) == 1]  # noqa: E741
    return sorted(planes, key=lambda plane: (sum(k < 0 for k in plane), [-k for k in plane]))


def _point_group(crystal: Atoms) -> np.ndarray:
    """Return the matrices (n, 3, 3) that turn Miller indices of a crystal into those of planes of the same kind.

    A matrix W of whole numbers maps the lattice onto itself where it keeps the metric, ``W G W^T = G``, and the crystal where
    a shift brings the atoms onto atoms of their kind. Entries are -1, 0 or 1 in the usual reduced and conventional cells.
    """
    cell = crystal.cell.array
    metric = cell @ cell.T
    matrices = np.array(list(product((-1, 0, 1), repeat=9))).reshape(-1, 3, 3)
    turned = matrices @ metric @ matrices.transpose(0, 2, 1)
    keep = np.abs(turned - metric).max(axis=(1, 2)) < _SAME * np.abs(metric).max()
    return np.array([matrix for matrix in matrices[keep] if _maps_atoms(crystal, matrix)])


def _maps_atoms(crystal: Atoms, matrix: np.ndarray) -> bool:
    positions = crystal.get_scaled_positions()
    turned = positions @ matrix
    same_kind = crystal.numbers[:, None] == crystal.numbers[None, :]
    for shift in positions[crystal.numbers == crystal.numbers[0]] - turned[0]:
        apart = (turned + shift)[:, None] - positions[None, :]
        apart -= apart.round()
        if ((np.abs(apart).max(axis=2) < _SAME) & same_kind).any(axis=1).all():
            return True
    return False
