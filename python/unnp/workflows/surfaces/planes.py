"""Planes of a crystal that symmetry tells apart, and slabs cut along them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import ceil, gcd

import numpy as np
from ase import Atoms
from ase.build import surface

Plane = tuple[int, int, int]
_SAME = 1e-3
EQUAL_GAPS = 0.05
"""Gaps between layers that are narrower than the widest by less than this [A] count as equally wide."""
_SAME_VIEW = 0.02
_WAVES = np.array([(1, 0), (0, 1), (1, 1), (1, -1), (2, 0), (0, 2)])


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

    Where layers come in pairs, as (111) of diamond, that is the surface with the fewest bonds cut. Of gaps that are equally
    wide, up to ``EQUAL_GAPS``, that one is taken whose upper surface comes first by ``surface_view``. So neither the origin of
    the crystal nor what a relaxation leaves of noise decides: below an atom of hcp (0001) at (0, 0) in the cell of the surface,
    the second layer has an atom at (1/3, 2/3).

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
    widest = np.flatnonzero(gaps > gaps.max() - EQUAL_GAPS)
    layers = max(1, ceil(thickness / height - 1e-6))
    # cut out of a thicker one: repeats are shifted sideways, and an atom cannot be moved from below to above
    thick = surface(crystal, plane, layers + 1, periodic=True)
    slabs = [_between(thick, float(z[k] + gaps[k] / 2) % height, layers * height) for k in widest]
    slab = (
        slabs[first_of([surface_view(each, _near_the_top(each, 0.5)) for each in slabs])]
        if len(slabs) > 1
        else slabs[0]
    )
    slab.set_cell([*slab.cell[:2], [0, 0, np.ptp(slab.positions[:, 2]) + vacuum]])
    slab.center(axis=2)
    return Atoms(slab.numbers, slab.positions, cell=slab.cell, pbc=True)


def surface_view(slab: Atoms, seen_from: np.ndarray, repeat: tuple[int, int] = (1, 1)) -> np.ndarray:
    """Return numbers that say what the upper surface of a slab looks like from some of its atoms.

    The first is the mean atomic number of these atoms, as a share of the largest in the slab. The others are the imaginary and
    real parts of products ``F(k) F0(k)*`` of two sums of ``w exp(2 pi i k.u)``: F over all atoms, with weights that fall with
    the depth, F0 over those from which it is seen; u are places in the cell of the surface. They change smoothly with the
    places of atoms, and do not change where all atoms are shifted, numbered anew or replaced by their images.

    Args:
        slab: upper surface along +z.
        seen_from: (n_atoms,) weights, 0 for atoms from which it is not seen.
        repeat: how many cells of the surface the slab has along both vectors.
    """
    u = 2 * np.pi * (slab.positions @ np.linalg.inv(slab.cell.array))[:, :2] * repeat
    waves = np.exp(1j * u @ _WAVES.T)
    seen_from, near = (each / each.sum() for each in (seen_from, _near_the_top(slab, 2.0) * slab.numbers))
    products = (near @ waves) * (seen_from @ waves).conj()
    return np.array(
        [seen_from @ slab.numbers / slab.numbers.max(), *np.ravel([products.imag, products.real], order="F")]
    )


def first_of(views: Sequence[np.ndarray]) -> int:
    """Return which of some views comes first: the one with the largest first number by which they differ beyond noise."""
    numbers, left = np.array(views), np.arange(len(views))
    for column in numbers.T:
        left = left[column[left] > column[left].max() - _SAME_VIEW]
    return int(left[0])


def _between(atoms: Atoms, low: float, height: float) -> Atoms:
    z = atoms.positions[:, 2]
    return atoms[(z >= low) & (z < low + height)]


def _near_the_top(slab: Atoms, length: float) -> np.ndarray:
    """Return weights that fall with the depth below the uppermost atom, by 1/e over a length [A]."""
    z = slab.positions[:, 2]
    return np.exp((z - z.max()) / length)


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
