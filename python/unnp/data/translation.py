"""Structures of some elements made into structures of others: scaled, renamed, without the labels of the old ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from ase.data import chemical_symbols

from unnp.atoms.elements import atomic_number, symbols_of
from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.errors import ConfigError, DataError, in_one_line

SMALLEST, LARGEST = 0.25, 4.0
"""Factors on lengths beyond which no metal is made into another."""


def translate(structures: Sequence[Structure], elements: Mapping[str, str], factor: float) -> list[Structure]:
    """Return structures with other elements, cell and positions times a factor, without labels.

    Labels of the old elements say nothing of the new ones, so none is kept, nor weights of atoms in the loss. Groups are.
    See E. Jung, G. Lee, J. Choi, arXiv:2311.05407: nickel made into aluminium and niobium.

    Args:
        structures: at least one.
        elements: new chemical symbol by old one, of every element in the structures; ``{"O": "O"}`` keeps one.
        factor: on all lengths; see ``factor_of_volumes``.

    Raises:
        ConfigError: a factor beyond 0.25 or 4.
        DataError: a word that is no chemical symbol, an element in a structure that is not named, or one that is named
            and in no structure.
    """
    if not SMALLEST <= factor <= LARGEST:
        raise ConfigError(f"a factor of {factor:.6g} on lengths is not between {SMALLEST} and {LARGEST}.")
    numbers = np.zeros(len(chemical_symbols), dtype=np.int64)
    for old, new in elements.items():
        numbers[atomic_number(old)] = atomic_number(new)
    translated = [_translated(structure, k, numbers, factor) for k, structure in enumerate(structures)]
    present = {int(z) for structure in structures for z in np.unique(structure.numbers)}
    missing = [old for old in elements if atomic_number(old) not in present]
    if missing:
        raise DataError(f"no structure has {', '.join(missing)}; there are {', '.join(symbols_of(present)) or 'none'}.")
    return translated


def factor_of_volumes(old: float, new: float) -> float:
    """Return the factor on lengths that takes one volume per atom to another, their cube root."""
    return math.cbrt(new / old)


def parse_elements(text: str) -> dict[str, str]:
    """Return new by old symbol of ``Ni=Al,Nb=Ti``; raise ConfigError for another form or an element that stands twice."""
    pairs = [tuple(word.strip() for word in pair.split("=")) for pair in text.split(",")]
    found = {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and all(pair)}
    if len(found) < len(pairs):
        raise ConfigError(
            f"elements '{in_one_line(text)}': write OLD=NEW, a comma between pairs, and each OLD once: Ni=Al,Nb=Ti."
        )
    return found


def count_labels(structures: Iterable[Structure]) -> dict[str, int]:
    """Return how many structures have each label, of those that any has."""
    found = Counter(name for structure in structures for name in QUANTITIES if structure.label(name) is not None)
    return {name: found[name] for name in QUANTITIES if found[name]}


def _translated(structure: Structure, k: int, numbers: np.ndarray, factor: float) -> Structure:
    new = numbers[structure.numbers]
    if not new.all():
        unnamed = ", ".join(symbols_of(structure.numbers[new == 0]))
        where = structure.source or f"structure {k}"
        raise DataError(
            f"{where} has {unnamed}, of which is not said what it becomes; add OLD=NEW, or OLD=OLD to keep it."
        )
    bare = structure.with_labels(dict.fromkeys(QUANTITIES))
    positions, cell = structure.positions * factor, structure.cell * factor
    return replace(bare, numbers=new, positions=positions, cell=cell, forces_weight=None)
