"""The structures of the test: crystal, bare slab, molecule on it, shaken ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms

from unnp.errors import ConfigError
from unnp.lammps.structure_file import fixed_atoms
from unnp.workflows.adsorption.config import Placed, SurfaceConfig
from unnp.workflows.relaxation.structures import NAME
from unnp.workflows.surfaces.crystals import check_indices, conventional_crystal, three_indices
from unnp.workflows.surfaces.planes import cut, first_of, surface_view

LAYER = 0.3
"""Atoms that lie no deeper than this [A] below the uppermost are one layer."""
MOLECULE = 1
"""Tag of the atoms of the molecule; those of the slab have 0."""
NEAR = 0.2
"""A site is told from others within this share of the distance between neighbours in the uppermost layer."""
LEAST_EMPTY = 5.0
"""The least [A] between the highest atom of a molecule and the image of the slab above it: the range of most potentials."""
_SAME = 0.1


@dataclass(frozen=True)
class Sites:
    """What sites of a surface are told by, and which are alike, of its unrelaxed slab.

    Attributes:
        upper: atoms of the uppermost layer.
        second: atoms of the layer below.
        spacing: between neighbours in the uppermost layer [A], sideways.
        hexagonal: whether each atom of that has six.
        symmetries: turns, mirrors and shifts along the surface that map the slab onto itself, as pairs of W (2, 2) and t (2,):
            places u (2,) in the cell of the slab become ``u W + t``.
    """

    upper: np.ndarray
    second: np.ndarray
    spacing: float
    hexagonal: bool
    symmetries: list[tuple[np.ndarray, np.ndarray]]

    def name(self, atoms: Atoms) -> str:
        """Return above what the first atom of the molecule is: top, bridge, hollow (of a hexagonal layer hcp, fcc), or between.

        A hollow has three or more atoms of the uppermost layer about as near as the nearest, sideways. Below an hcp hollow
        there is an atom of the second layer, below an fcc hollow there is none.
        """
        first = atoms.positions[np.flatnonzero(atoms.get_tags() == MOLECULE)[0]]
        distances = sideways(atoms, first, self.upper)
        around = int((distances < distances[0] + NEAR * self.spacing).sum())
        if around == 1:
            return "top" if distances[0] < NEAR * self.spacing else "between"
        if around == 2:
            return "bridge"
        if not self.hexagonal or not len(self.second):
            return "hollow"
        below = sideways(atoms, first, self.second)[0] < NEAR * self.spacing
        return "hcp hollow" if below else "fcc hollow"


def crystal_of(surface: SurfaceConfig, base: Path) -> Atoms:
    """Return the crystal that slabs are cut from, before a potential has relaxed it.

    Args:
        surface: the settings.
        base: where relative paths in them begin.

    Raises:
        DataError, ConfigError: as ``conventional_crystal``, and four indices for a crystal that is not hexagonal.
    """
    crystal = conventional_crystal(surface, base, "surface")
    check_indices(surface.plane, crystal, "surface.plane")
    return named(crystal, "crystal")


def bare_slab(crystal: Atoms, surface: SurfaceConfig) -> Atoms:
    """Return the slab with vacuum above it; what lies deeper than ``surface.free`` is fixed."""
    slab = cut(crystal, three_indices(surface.plane), surface.thickness, surface.vacuum) * (*surface.repeat, 1)
    slab.positions[:, 2] -= slab.positions[:, 2].min()
    z = slab.positions[:, 2]
    slab.set_constraint(FixAtoms(mask=z < z.max() - surface.free))
    if not len(fixed_atoms(slab)):
        raise ConfigError(f"surface: no atom lies deeper than free: {surface.free} A; take a thicker slab.")
    return named(slab, "bare slab")


def anchor_of(slab: Atoms, surface: SurfaceConfig) -> int:
    """Return which atom of the uppermost layer of an unrelaxed slab molecules are placed from.

    Where these atoms see different surroundings, as on hcp (11-20), the view decides, not an origin.
    """
    upper = layer_of(slab, 0)
    views = [surface_view(slab, np.eye(len(slab))[k], surface.repeat) for k in upper]
    return int(upper[first_of(views)])


def layer_of(slab: Atoms, n: int) -> np.ndarray:
    """Return the atoms of a layer of an unrelaxed slab, the uppermost (0) or one below it; empty where there is none."""
    left = np.arange(len(slab))
    for _ in range(n + 1):
        if not len(left):
            return left
        z = slab.positions[left, 2]
        layer, left = left[z > z.max() - LAYER], left[z <= z.max() - LAYER]
    return layer


def sites_of(slab: Atoms) -> Sites:
    """Return what the sites of an unrelaxed slab are told by."""
    upper = layer_of(slab, 0)
    distances = sideways(slab, slab.positions[upper[0]], upper)
    spacing = float(distances[distances > LAYER][0])
    near = (distances > LAYER) & (distances < 1.1 * spacing)
    return Sites(upper, layer_of(slab, 1), spacing, int(near.sum()) == 6, symmetries_of(slab, upper))


def symmetries_of(slab: Atoms, upper: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return turns, mirrors and shifts along the surface that map a slab onto itself, see ``Sites``; upper: its first layer."""
    cell, scaled, z = slab.cell.array[:2, :2], slab.get_scaled_positions()[:, :2], slab.positions[:, 2]
    alike = (np.abs(z[:, None] - z) < _SAME) & (slab.numbers[:, None] == slab.numbers)
    matrices = np.array(list(product((-1, 0, 1), repeat=4))).reshape(-1, 2, 2)
    metric = cell @ cell.T
    turned = matrices @ metric @ matrices.transpose(0, 2, 1)
    found = []
    for matrix in matrices[np.abs(turned - metric).max(axis=(1, 2)) < 0.01 * metric.max()]:
        for shift in scaled[upper] - scaled[upper[0]] @ matrix:
            apart = (scaled @ matrix + shift)[:, None] - scaled
            lengths = np.linalg.norm((apart - apart.round()) @ cell, axis=2)
            if ((lengths < _SAME) & alike).any(axis=1).all():
                found.append((matrix, shift))
    return found


def check_vacuum(surface: SurfaceConfig, *molecules: Sequence[Placed]) -> None:
    """Raise ConfigError where a molecule leaves less than ``LEAST_EMPTY`` to the image of the slab above it."""
    height = max(0.0, *(atom.at[2] for molecule in molecules for atom in molecule))
    if surface.vacuum < height + LEAST_EMPTY:
        raise ConfigError(
            f"surface.vacuum: {surface.vacuum:g} A, and the molecule reaches {height:g} A above the slab; between it and the "
            f"image of the slab {LEAST_EMPTY:g} A have to be empty: give at least {height + LEAST_EMPTY:g}."
        )


def sideways(atoms: Atoms, place: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Return distances [A] along the surface from a place to atoms and their images in neighbouring cells, sorted."""
    images = np.array(list(product((-2, -1, 0, 1, 2), repeat=2))) @ atoms.cell.array[:2, :2]
    inside = (atoms.positions[which] - place) @ np.linalg.inv(atoms.cell.array)
    inside -= inside.round()
    ways = (inside @ atoms.cell.array)[:, None, :2] + images
    return np.sort(np.linalg.norm(ways, axis=2).ravel())


def with_molecule(slab: Atoms, placed: Sequence[Placed], anchor: int, surface: SurfaceConfig, name: str) -> Atoms:
    """Return a slab with atoms on it, behind its own and with the tag ``MOLECULE``.

    Args:
        slab: bare, relaxed or not.
        placed: the atoms.
        anchor: the atom of the slab from which they are placed.
        surface: whose cell their places count in.
        name: of the structure.
    """
    cell = slab.cell.array[:2] / np.array(surface.repeat)[:, None]
    origin = slab.positions[anchor]
    places = [origin + atom.at[0] * cell[0] + atom.at[1] * cell[1] + (0, 0, atom.at[2]) for atom in placed]
    try:
        molecule = Atoms([atom.symbol for atom in placed], places)
    except KeyError as error:
        raise ConfigError(f"molecule: {error} is no element.") from None
    molecule.set_tags(MOLECULE)
    whole = slab.copy()
    whole.set_tags(0)
    whole.extend(molecule)
    return named(whole, name)


def shaken(atoms: Atoms, width: float, rng: np.random.Generator, name: str) -> Atoms:
    """Return a copy whose free atoms are displaced by Gaussian numbers of this width [A]."""
    copy = atoms.copy()
    moves = rng.normal(scale=width, size=(len(copy), 3))
    moves[fixed_atoms(copy)] = 0
    copy.set_positions(copy.positions + moves)
    return named(copy, name)


def named(atoms: Atoms, name: str) -> Atoms:
    """Return atoms with a name for people, and nothing else in ``info``."""
    atoms.info = {NAME: name}
    return atoms
