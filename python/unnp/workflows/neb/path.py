"""The images that a search begins with: two ends that fit each other, or a path that is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import minimize_rotation_and_translation
from ase.geometry import find_mic
from ase.mep import NEB
from scipy.optimize import linear_sum_assignment

from unnp.errors import ConfigError
from unnp.lammps.structure_file import fixed_atoms
from unnp.lammps.system_config import FixedConfig
from unnp.workflows.neb.config import NebConfig
from unnp.workflows.relaxation.minimise import largest
from unnp.workflows.relaxation.structures import read_all

SMALLEST_MOVE = 0.05
"""Ends in which no atom moves by more [A] are one state."""
SAME_PLACE = 1e-3
MOST_ATOMS_OF_IDPP = 300
"""Of structures with more atoms, only what is near to those that move takes part in the interpolation of distances."""
MOVES_LITTLE = 0.2
"""Fraction of the longest way below which an atom hardly moves."""
NEAR = 6.0
"""Distance [A] within which atoms take part."""
FAR = 0.5
"""Atoms that are exchanged have moved by more [A]."""
MOST_EXCHANGED = 300
"""So many atoms, those that move most, are asked whether others come to their places on shorter ways."""
MUCH_SHORTER = 0.7
"""Fraction of a way below which another is so."""
MOST_NAMED = 8
"""Atoms of a message."""


def read_path(paths: Sequence[Path], fixed: str | FixedConfig = "file") -> list[Atoms]:
    """Return the states that files hold: all frames of a single file, else the last frame of each.

    Raises:
        DataError: a file cannot be read.
        ConfigError: there are fewer than two states, or they do not fit each other, see ``check_alike``.
    """
    states = read_all(paths, fixed) if len(paths) == 1 else [read_all([path], fixed)[-1] for path in paths]
    if len(states) < 2:
        raise ConfigError(
            f"{paths[0]} holds one structure; a path needs two: give a second file, or one with all frames."
        )
    check_alike(states)
    return states


def check_alike(states: Sequence[Atoms]) -> None:
    """Raise ConfigError where states are not of the same atoms in the same cell, or the ends are one state."""
    first = states[0]
    for k, other in enumerate(states[1:], 1):
        where = f"structure {k} of the path"
        if len(other) != len(first) or (other.numbers != first.numbers).any():
            raise ConfigError(
                f"{where} is {other.get_chemical_formula('reduce')}, the first {first.get_chemical_formula('reduce')}: all "
                "need the same atoms in the same order."
            )
        if not np.allclose(other.cell.array, first.cell.array, atol=SAME_PLACE) or (other.pbc != first.pbc).any():
            raise ConfigError(f"{where} has another cell than the first: a band of images needs one cell.")
        held = fixed_atoms(first)
        if not np.array_equal(held, fixed_atoms(other)):
            raise ConfigError(f"{where} has other fixed atoms than the first; fix the same in all (--fixed-below).")
        if len(held) and largest(_moves(first, other)[held]) > SAME_PLACE:
            raise ConfigError(f"{where} has fixed atoms at other places than the first.")
    check_apart(first, states[-1])


def check_apart(start: Atoms, end: Atoms) -> None:
    """Raise ConfigError where two states are one."""
    if apart(start, end) < SMALLEST_MOVE:
        raise ConfigError(
            f"the ends of the path are one state: no atom moves by more than {SMALLEST_MOVE} A between them."
        )


def apart(one: Atoms, other: Atoms) -> float:
    """Return how far the atom is that is farthest from its place in another state [A]; free clusters are turned beforehand."""
    if is_free(one):
        other = other.copy()
        minimize_rotation_and_translation(one, other)
    return largest(_moves(one, other))


@dataclass(frozen=True)
class Exchange:
    """Like atoms that may stand at each other's places in a state by mistake.

    Attributes:
        atoms: their indices.
        length: of their way there, ``|R_1 - R_0|`` over them [A].
        shorter: of the way where they change places [A].
    """

    atoms: list[int]
    length: float
    shorter: float


def exchanges(one: Atoms, other: Atoms) -> list[Exchange]:
    """Return which atoms of two states may be exchanged.

    Of the atoms of each element that move, each place of the other state is given to one, so that the sum of the squares of
    the ways is the smallest. Atoms that change places with each other so are meant, where they go much less far then.
    """
    lengths = np.linalg.norm(_moves(one, other), axis=1)
    lengths[fixed_atoms(one)] = 0.0
    moving = np.argsort(-lengths, kind="stable")[:MOST_EXCHANGED]
    moving = np.sort(moving[lengths[moving] > FAR])
    found = []
    for number in np.unique(one.numbers[moving]):
        atoms = moving[one.numbers[moving] == number]
        ways = (other.positions[atoms][None] - one.positions[atoms][:, None]).reshape(-1, 3)
        squares = (find_mic(ways, one.cell, one.pbc)[1] ** 2).reshape(len(atoms), len(atoms))
        _, places = linear_sum_assignment(squares)
        for cycle in _cycles(places):
            length, shorter = (float(squares[cycle, to].sum()) ** 0.5 for to in (cycle, places[cycle]))
            if shorter < MUCH_SHORTER * length:
                found.append(Exchange(atoms[cycle].tolist(), length, shorter))
    return found


def doubts(states: Sequence[Atoms]) -> list[str]:
    """Return in a line each which like atoms may be exchanged in a step of a path."""
    said = []
    for k, (one, other) in enumerate(pairwise(states)):
        where = "the end" if len(states) == 2 else f"structure {k + 1} of the path"
        for each in exchanges(one, other):
            named = ", ".join(f"{one.symbols[atom]} {atom}" for atom in each.atoms[:MOST_NAMED])
            named += ", ..." if len(each.atoms) > MOST_NAMED else ""
            said.append(
                f"! {named} (counted from 0) may be exchanged in {where}: their way there is {each.length:.2f} A, and "
                f"{each.shorter:.2f} A where they change places; if that is not meant, give the atoms in the order of the start"
            )
    return said


def _cycles(places: np.ndarray) -> list[np.ndarray]:
    """Return the cycles of a permutation, without those of one."""
    found, seen = [], np.zeros(len(places), bool)
    for first in range(len(places)):
        cycle = []
        while not seen[first]:
            seen[first] = True
            cycle.append(first)
            first = int(places[first])
        if len(cycle) > 1:
            found.append(np.array(cycle))
    return found


def band_of(states: Sequence[Atoms], settings: NebConfig) -> list[Atoms]:
    """Return the images of a band, the ends included: the states themselves, or two ends with images set between them."""
    if len(states) > 2:
        return [atoms.copy() for atoms in states]
    start, end = states
    images = [start.copy() for _ in range(settings.images + 1)] + [end.copy()]
    _interpolate(images, "linear")
    if settings.interpolation == "idpp":
        near = _near_what_moves(start, end)
        parts = [image[near] for image in images]
        _interpolate(parts, "idpp")
        for image, part in zip(images[1:-1], parts[1:-1], strict=True):
            image.positions[near] = part.positions
    return images


def _interpolate(images: list[Atoms], method: str) -> None:
    free = is_free(images[0])
    band = NEB(images, remove_rotation_and_translation=free, method="improvedtangent")
    band.interpolate(method, mic=bool(images[0].pbc.any()), apply_constraint=False)


def _near_what_moves(start: Atoms, end: Atoms) -> np.ndarray:
    """Return the atoms whose distances are interpolated, all of a small structure.

    ``idpp`` compares the distances of all pairs, whose number grows with the square of the atoms. Of a large structure the
    atoms that move most, and what is near to them at one of the ends, are enough: the others hardly move.
    """
    if len(start) <= MOST_ATOMS_OF_IDPP:
        return np.arange(len(start))
    lengths = np.linalg.norm(_moves(start, end), axis=1)
    chosen = np.argsort(-lengths, kind="stable")[:MOST_ATOMS_OF_IDPP]
    moving = chosen[lengths[chosen] > MOVES_LITTLE * lengths.max()]
    near = np.zeros(len(start), bool)
    for state in (start, end):
        for k in moving:
            near |= state.get_distances(k, range(len(state)), mic=bool(state.pbc.any())) < NEAR
    return np.flatnonzero(near)


def respaced(states: Sequence[Atoms], n_between: int) -> list[Atoms]:
    """Return a path with this many images between its ends, evenly spaced along the straight lines from state to state.

    Two states stay as they are: nothing is known of the way between them.
    """
    if len(states) < 3:
        return list(states)
    lengths = distances(states)
    moves = [_moves(one, other) for one, other in pairwise(states)]
    places = states[0].positions + np.concatenate([np.zeros((1, len(states[0]), 3)), np.cumsum(moves, axis=0)])
    images = [states[0].copy() for _ in range(n_between)]
    for image, length in zip(images, np.linspace(0, lengths[-1], n_between + 2)[1:-1], strict=True):
        k = min(int(np.searchsorted(lengths, length, side="right")) - 1, len(moves) - 1)
        share = (length - lengths[k]) / (lengths[k + 1] - lengths[k])
        image.set_positions((1 - share) * places[k] + share * places[k + 1], apply_constraint=False)
    return [states[0], *images, states[-1]]


def n_images(states: Sequence[Atoms], settings: NebConfig) -> int:
    """Return the number of images of that band, the ends included."""
    return len(states) if len(states) > 2 else settings.images + 2


def distances(images: Sequence[Atoms]) -> np.ndarray:
    """Return the length of the path up to each image (n_images,) [A], ``sum_k |R_k - R_(k-1)|`` over all atoms."""
    steps = [np.linalg.norm(_moves(one, other)) for one, other in pairwise(images)]
    return np.concatenate([[0.0], np.cumsum(steps)])


def is_free(atoms: Atoms) -> bool:
    """Tell whether atoms may turn and drift as a whole, which is no motion along a path."""
    return not atoms.pbc.any() and not len(fixed_atoms(atoms))


def _moves(one: Atoms, other: Atoms) -> np.ndarray:
    """Return the way of each atom from one state to another (n_atoms, 3) [A], the shortest across the boundaries."""
    moves: np.ndarray = find_mic(other.positions - one.positions, one.cell, one.pbc)[0]
    return moves
