"""The structures of the test: crystal, bare slab, molecule on it, shaken ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms

from unnp.errors import ConfigError
from unnp.lammps.structure_file import fixed_atoms
from unnp.workflows.adsorption.config import Placed, SurfaceConfig
from unnp.workflows.relaxation.structures import NAME
from unnp.workflows.surfaces.crystals import check_indices, conventional_crystal, three_indices
from unnp.workflows.surfaces.planes import cut

LAYER = 0.3
"""Atoms that lie no deeper than this [A] below the uppermost are one layer."""
MOLECULE = 1
"""Tag of the atoms of the molecule; those of the slab have 0."""


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


def anchor_of(slab: Atoms) -> int:
    """Return which atom of the uppermost layer of an unrelaxed slab molecules are placed from."""
    z = slab.positions[:, 2]
    upper = np.flatnonzero(z > z.max() - LAYER)
    return int(min(upper, key=lambda k: tuple(slab.positions[k, :2].round(3))))


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
