"""Zeros of energy of the elements: what two sets of energies differ by, atom for atom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unnp.atoms.elements import Elements
from unnp.atoms.structure import Structure


def composition(structures: Sequence[Structure], elements: Elements) -> np.ndarray:
    """Return the atoms of each element in each structure, (n_structures, n_elements) float64."""
    rows = [np.bincount(elements.species(s.numbers), minlength=len(elements)) for s in structures]
    return np.array(rows, dtype=np.float64).reshape(-1, len(elements))


def fitted_zeros(counts: np.ndarray, differences: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the shifts ``d_e`` (n_elements,) [eV] that explain differences of energies best.

    ``min_d sum_s w_s (D_s / n_s - sum_e x_se d_e)^2`` over structures s with atomic fractions ``x_se``; where these leave
    it open, the shortest d.

    Args:
        counts: (n_structures, n_elements) atoms of each element.
        differences: (n_structures,) ``D_s`` [eV] of whole structures.
        weights: (n_structures,) ``w_s``; None: 1.
    """
    n_atoms = counts.sum(1)
    root = (1.0 if weights is None else np.sqrt(weights)) / n_atoms
    return np.linalg.lstsq(counts * root[:, None], differences * root, rcond=1e-10)[0]
