"""Labels of several sources in one head: their energies may count from different zeros, and no network can learn both.

That they do is said by the sources themselves, or shows where structures that are alike have energies that are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from unnp.atoms.elements import Elements, elements_of
from unnp.atoms.neighbors import bond_vectors, bonds
from unnp.atoms.structure import Structure
from unnp.data.opening import sources_of
from unnp.data.splits import source_file
from unnp.data.zeros import composition
from unnp.errors import DataError, in_one_line

TELLING = ("name", "zero of energy", "sha256 of the weights")
"""Entries of origins that tell sources of labels from each other."""

Origin = Mapping[str, str]

REACH = 5.0
"""Distance [A] to which surroundings of atoms are compared."""
SPACING = 0.5
"""Of the distances [A] at which neighbours are counted."""
LIKE = 0.2
"""Largest relative difference between the neighbourhoods of structures that are alike."""
OF_ONE_KIND = 2.0
"""The same, in medians of the difference between a structure and the one that is most like it."""
SAME_COMPOSITION = 0.05
"""Largest sum of the differences between atomic fractions of structures that are alike."""
FEWEST = 4
"""Structures of a part that have to be like others."""
STEADY = 0.9
"""Part of the pairs of alike structures that have to differ by the jump, or where both are on one side of it, by far less."""
JUMP = 0.5
"""Smallest constant [eV/atom] between energies of alike structures that is told of where no potential is there."""
LEEWAY = 1 / 3
"""What "far less" is, in jumps: by so much may differences of energies vary."""
CUTS = 3
"""Widest gaps in energies at which it is looked for two parts that no name tells apart."""


def mixed_labels(heads: Sequence[str], structures: Sequence[Structure], owner: Mapping[str, int]) -> Iterator[str]:
    """Yield what to say of each head that learns from labels of several sources.

    Args:
        heads: names.
        structures: that are trained on.
        owner: position of the head of each group.
    """
    for k, head in enumerate(heads):
        found = _origins(structures, owner, k)
        if len(found) > 1:
            yield (
                f"heads.{head} learns from labels of {len(found)} sources, whose energies may have different zeros: "
                f"{'; '.join(map(_said, found))}. Where they have, give the groups of each a head of its own (`heads`), or "
                "label all by one of them."
            )


def _origins(structures: Sequence[Structure], owner: Mapping[str, int], k: int) -> list[Origin]:
    """Return the sources of the labels of a head, each once.

    Of a data set that several were put together in, nobody knows which structure is of which: it counts where the head has all
    of its groups.
    """
    found: dict[tuple[str, ...], Origin] = {}
    for source in sources_of(structures):
        heads = {owner[group] for group in source.groups if group in owner}
        if heads == {k} or (k in heads and len(source.origins) == 1):
            found |= {tuple(origin.get(name, "") for name in TELLING): origin for origin in source.origins}
    return list(found.values())


def _said(origin: Origin) -> str:
    zero = origin.get("zero of energy", "no zero is given")
    return f"{in_one_line(origin.get('name', 'no name'))} ({in_one_line(zero)})"


@dataclass(frozen=True)
class Jump:
    """A part of the structures of a head whose energies lie a constant beside those of others that are alike.

    Attributes:
        part: its name for people.
        n_structures: of those looked at.
        size: how much higher its energies are [eV/atom].
    """

    part: str
    n_structures: int
    size: float

    def __str__(self) -> str:
        return f"{self.part} ({self.n_structures} of the structures looked at): {self.size:+.2f} eV/atom"


def parts_of(structures: Sequence[Structure]) -> dict[str, list[str]]:
    """Return the names for people of the file and of the group of each structure."""
    files = [source_file(s.source) if s.source else "" for s in structures]
    groups = [s.group for s in structures]
    return {
        "files": [f"file {in_one_line(name)}" if name else "structures without a file" for name in files],
        "groups": [f"group {in_one_line(name)}" if name else "structures without a group" for name in groups],
    }


def mixed_zeros(structures: Sequence[Structure], energies: Mapping[str, float]) -> str:
    """Return what to say of a head whose labels seem to count from several zeros of energy; else nothing.

    Args:
        structures: a sample of those that it learns from, with energies.
        energies: reference energies [eV] by element.
    """
    counts = composition(structures, elements := Elements(list(energies)))
    bound = np.array([s.energy for s in structures]) - counts @ [energies[symbol] for symbol in elements.symbols]
    return said_of(jumps(structures, bound / counts.sum(1), JUMP))


def said_of(found: Sequence[Jump]) -> str:
    """Return what jumps are for people; empty where there are none."""
    if not found:
        return ""
    return (
        "the energies of some of its structures lie a constant beside those of others that are alike: "
        f"{'; '.join(map(str, found))}. They count from different zeros, or are of different levels of theory, and no network "
        "can learn both: give the parts different groups, and each a head of its own (`heads`), or correct the labels."
    )


def jumps(structures: Sequence[Structure], energies: np.ndarray, least: float) -> list[Jump]:
    """Return the parts of a set whose energies count from another zero than those of the others, as far as that shows.

    Structures are compared with the ones of other parts that are most like them: of nearly the same composition, neighbours
    and largest force. So parts that differ physically, as dimers, slabs, liquids and crystals, are not compared at all. Parts
    are files; or else groups; or else, where no name tells them apart, what lies above and below a gap: in how far each
    structure is above the lowest one that is like it, or in the energies.

    Args:
        structures: what is looked at.
        energies: (n_structures,) [eV/atom] beyond reference energies, or beyond those of a potential.
        least: smallest jump [eV/atom] that counts.
    """
    if len(structures) < 2 * FEWEST:
        return []
    distance = _unlikeness(structures)
    for names in parts_of(structures).values():
        found = [
            Jump(name, int(part.sum()), size)
            for name in sorted(set(names))
            if (size := _jump(part := np.array(names) == name, energies, distance, least))
        ]
        if found:
            return found
    beyond = energies - np.minimum(np.where(np.isfinite(distance), energies, np.inf).min(1), energies)
    for values in (beyond, energies):
        for above in _cut(values, least):
            if size := _jump(above, energies, distance, least):
                return [Jump("structures of the same files and groups", int(above.sum()), size)]
    return []


def _cut(values: np.ndarray, least: float) -> Iterator[np.ndarray]:
    """Yield which values (n,) [eV/atom] lie above the widest gaps, where these are as wide as a jump leaves them."""
    middle = np.sort(values)[FEWEST - 1 : len(values) - FEWEST + 1]
    gaps = np.diff(middle)
    for k in np.argsort(gaps)[::-1][:CUTS]:
        if gaps[k] > LEEWAY * max(
            least, float(np.median(values[values > middle[k]]) - np.median(values[values <= middle[k]]))
        ):
            yield values > middle[k]


def _jump(part: np.ndarray, energies: np.ndarray, distance: np.ndarray, least: float) -> float:
    """Return how much higher the energies of a part are than those of others that are alike; 0 where that is no constant.

    Args:
        part: (n_structures,) bool, its structures.
        energies: (n_structures,) [eV/atom].
        distance: (n_structures, n_structures) of ``_unlikeness``.
        least: smallest size that counts.
    """
    fewer = part if part.sum() <= len(part) / 2 else ~part
    if fewer.sum() < FEWEST:
        return 0.0
    across = _differences(fewer, ~fewer, energies, distance)
    if len(across) < max(FEWEST, fewer.sum() / 2):
        return 0.0
    size = float(np.median(across))
    inside = np.concatenate([_differences(side, side, energies, distance) for side in (part, ~part)])
    steady = [np.abs(across - size) < LEEWAY * abs(size), np.abs(inside) < LEEWAY * abs(size)]
    if abs(size) < least or any(len(each) and each.mean() < STEADY for each in steady):
        return 0.0
    return size if fewer is part else -size


def _differences(these: np.ndarray, those: np.ndarray, energies: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Return the differences [eV/atom] between some structures and the most alike of others, where any are alike."""
    between = distance[np.ix_(these, those)]
    most_alike = between.argmin(1)
    alike = np.isfinite(between.min(1))
    return (energies[these] - energies[those][most_alike])[alike]


def _unlikeness(structures: Sequence[Structure]) -> np.ndarray:
    """Return relative differences between the neighbourhoods of structures, (n, n); inf for those that are not alike.

    Never alike are a structure and itself, structures of different composition, and those where the largest force of one is far
    above that of the other: a zero of energy changes no force.
    """
    looks = np.array([_neighbourhood(s) for s in structures])
    elements = Elements(elements_of(structures))
    fractions = composition(structures, elements)
    fractions /= fractions.sum(1, keepdims=True)
    squares = (looks**2).sum(1)
    between = np.sqrt(np.clip(squares[:, None] + squares - 2 * looks @ looks.T, 0, None))
    found = between / np.sqrt(np.maximum(np.maximum(squares[:, None], squares), 1e-12))
    other = np.array([np.abs(fractions - row).sum(1) > SAME_COMPOSITION for row in fractions])
    forces = np.array([np.nan if s.forces is None else np.abs(s.forces).max(initial=0.0) for s in structures])
    other |= np.abs(forces[:, None] - forces) > 0.5 * np.maximum(forces[:, None], forces) + 0.5  # nan: not known
    found[other | np.eye(len(structures), dtype=bool)] = np.inf
    closest = found.min(1)
    if np.isfinite(closest).any():
        usual = float(np.median(closest[np.isfinite(closest)]))
        found[found > min(LIKE, max(OF_ONE_KIND * usual, LIKE / 4))] = np.inf
    return found


def _neighbourhood(structure: Structure) -> np.ndarray:
    """Return neighbours per atom about distances that are ``SPACING`` apart, of the same element and of others, in one row.

    Near neighbours count more: each by ``(1 - r / REACH)^2``.
    """
    n_bins = round(REACH / SPACING) + 1
    row = np.zeros(2 * n_bins)
    try:
        index, shifts = bonds(structure, REACH)
        r = np.linalg.norm(bond_vectors(structure, index, shifts), axis=1)
    except DataError:  # whatever is wrong with it is said where its graph is made
        return row
    other = structure.numbers[index[0]] != structure.numbers[index[1]]
    weight = 2 * (1 - r / REACH) ** 2 / len(structure)
    below = np.minimum((r / SPACING).astype(int), n_bins - 2)
    part = r / SPACING - below
    np.add.at(row, other * n_bins + below, weight * (1 - part))
    np.add.at(row, other * n_bins + below + 1, weight * part)
    return row
