"""Labels of a structure as an entry of a journal, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.data.labellers.base import misfit

REQUIRED = ("energy", "forces")


def entry_of(structure: Structure) -> dict[str, Any]:
    """Return the labels that a structure has, as JSON; numbers keep all their digits."""
    labels = {name: structure.label(name) for name in QUANTITIES}
    return {name: np.asarray(value).tolist() for name, value in labels.items() if value is not None}


def with_entry(structure: Structure, entry: Mapping[str, Any]) -> Structure:
    """Return a structure with the labels of an entry in the place of its own."""
    labels = {name: entry.get(name) for name in QUANTITIES}
    arrays = {name: np.array(value) if isinstance(value, list) else value for name, value in labels.items()}
    return structure.with_labels(arrays)


def forget_damaged(finished: dict[int, dict[str, Any]], structures: Sequence[Structure]) -> None:
    """Forget recorded results that cannot be labels of their structures: they are computed anew."""
    for k, entry in list(finished.items()):
        if not (0 <= k < len(structures) and _fits(entry, len(structures[k]))):
            del finished[k]


def _fits(entry: Mapping[str, Any], n_atoms: int) -> bool:
    known = {name: value for name, value in entry.items() if name in QUANTITIES}
    return known.keys() >= set(REQUIRED) and not any(misfit(QUANTITIES[k], v, n_atoms) for k, v in known.items())
