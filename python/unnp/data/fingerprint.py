"""What tells structures from others, so that what was computed of them is not taken for that of others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure


def fingerprint(structures: Iterable[Structure], settings: str = "", labels: Sequence[str] = ()) -> str:
    """Return the SHA-256 of structures, in their order.

    Args:
        structures: whose atoms, cells and groups count.
        settings: text that counts too.
        labels: names of the labels that count too, with the weights of atoms in them.
    """
    digest = hashlib.sha256(settings.encode())
    for structure in structures:
        digest.update(f"{len(structure)} {structure.group}\n".encode())
        for array in (structure.numbers, structure.positions, structure.cell, structure.pbc):
            digest.update(np.ascontiguousarray(array).tobytes())
        for name in labels:
            for key, value in _numbers_of(structure, name):
                digest.update(key.encode() + np.asarray(value, dtype=np.float64).tobytes())
    return digest.hexdigest()


def _numbers_of(structure: Structure, name: str) -> Iterator[tuple[str, Any]]:
    """Yield a label and the weights of the atoms in it, with their names, as far as they are there."""
    weight = QUANTITIES[name].weight
    found = {name: structure.label(name), **({weight: getattr(structure, weight)} if weight else {})}
    yield from ((key, value) for key, value in found.items() if value is not None)
