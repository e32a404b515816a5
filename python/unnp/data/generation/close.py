"""Atoms close together: an atom of a structure pushed onto another, and pairs of atoms alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from unnp.atoms.contacts import contacts, touching
from unnp.atoms.neighbors import bond_vectors, bonds
from unnp.atoms.structure import Structure
from unnp.data.generation.recipe import Dimers, Pushed
from unnp.data.opening import open_structures
from unnp.data.readers.options import UNLABELLED
from unnp.errors import DataError


def make_pushed(sample: Pushed, folder: Path, rng: np.random.Generator) -> list[Atoms]:
    """Return copies of structures of the sample's files, drawn at random, each once before any is drawn again.

    Raises:
        DataError: a file cannot be read, or no atom of a structure can be pushed onto another.
    """
    structures = open_structures([folder / name for name in sample.files], UNLABELLED)
    return [
        pushed(structures[k], sample, rng) for k in np.resize(rng.permutation(len(structures)), sample.count).tolist()
    ]


def pushed(structure: Structure, sample: Pushed, rng: np.random.Generator) -> Atoms:
    """Return a copy in which one atom has moved on a straight line towards another one and is nearer to it than to any other.

    Both are drawn at random.

    Raises:
        DataError: there are no such two atoms.
    """
    index, shifts = bonds(structure, sample.reach)
    vectors = bond_vectors(structure, index, shifts)
    lengths = np.linalg.norm(vectors, axis=1)
    distances = rng.uniform(*sample.distances) * touching(structure.numbers[index])
    for k in rng.permutation(np.flatnonzero((distances < lengths) & (index[0] != index[1]))):
        copy = replace(structure, positions=structure.positions.copy())
        mover = index[0, k]
        copy.positions[mover] += (1 - distances[k] / lengths[k]) * vectors[k]
        if not _has_closer(copy, mover, distances[k] / touching(structure.numbers[index[:, [k]]])[0]):
            return copy.to_atoms()
    raise DataError(
        f"{structure.source}: no atom within {sample.reach:g} A of another can be pushed onto it without touching a third one; "
        "raise reach, or change distances."
    )


def _has_closer(structure: Structure, atom: int, part: float) -> bool:
    """Tell whether an atom has another closer than this part of the sum of their covalent radii."""
    index, ratios = contacts(structure, part)
    return bool((ratios[(index == atom).any(axis=0)] < part - 1e-6).any())


def make_dimers(sample: Dimers, rng: np.random.Generator) -> list[Atoms]:
    """Return ``sample.count`` pairs of atoms in empty space for each pair of elements, in random directions."""
    made = []
    for pair in combinations_with_replacement(sample.elements, 2):
        contact = touching(np.array([atomic_numbers[symbol] for symbol in pair]))
        for distance in contact * rng.uniform(*sample.distances, size=sample.count):
            direction = rng.normal(size=3)
            made.append(Atoms(pair, [np.zeros(3), distance * direction / np.linalg.norm(direction)]))
    return made
