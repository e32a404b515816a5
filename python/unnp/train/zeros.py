"""Zeros of energy: whether new labels count from the same energies of the elements as a head that exists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from unnp.atoms.elements import Elements, atomic_number
from unnp.atoms.structure import Structure
from unnp.data.dataset import Dataset, collate
from unnp.data.reference_energies import is_isolated
from unnp.data.zeros import composition, fitted_zeros
from unnp.derivatives import predict
from unnp.models import Potential

OTHER_ZERO = 1.0
"""Mean shift of the energies [eV/atom] from which on labels are of another zero: a model of the same is seldom as wrong."""
DOUBTFUL = 0.05
"""The same, from which on they may be: corrections as MP2020 are 0.1 to 0.7 eV for each atom of some elements."""
EXPLAINED = 0.9
"""Part of the mean square of the differences that such a shift has to make."""
ISOLATED = 1e5
"""Weight of isolated atoms beside other structures."""
MOST = 500
"""Structures that are looked at."""


@dataclass(frozen=True)
class Shift:
    """How far labels are from the energies of a head.

    Attributes:
        energies: [eV] by element, by least squares: ``E_label - E_head = sum_e n_e shift_e``.
        size: root mean square of the shift of the structures [eV/atom].
        explained: part of the mean square of the differences that it makes.
        free: energies beyond the constants that were fitted to them; 0: these explain everything.
    """

    energies: Mapping[str, float]
    size: float = 0.0
    explained: float = 0.0
    free: int = 0

    @property
    def is_another_zero(self) -> bool:
        """Whether nothing but another zero of energy makes it as large."""
        return self.size > OTHER_ZERO and self.explained > EXPLAINED

    @property
    def may_be_another_zero(self) -> bool:
        """Whether it is nearly all that the labels differ by, so that another zero of energy would explain it."""
        return self.size > DOUBTFUL and self.explained > EXPLAINED and self.free > 0


def shift_of(potential: Potential, head: int, structures: Sequence[Structure], dtype: torch.dtype) -> Shift:
    """Return how far the labels of structures are from the energies of a head, by element.

    Args:
        potential: with the head.
        head: its position.
        structures: with labels; those without energy, and those with elements that the potential does not know, do not count.
        dtype: number type of the bond vectors.
    """
    elements = Elements(potential.elements)
    known = {atomic_number(symbol) for symbol in potential.elements}
    used = [s for s in structures if s.energy is not None and known.issuperset(s.numbers.tolist())][:MOST]
    if not used:
        return Shift({})
    counts = composition(used, elements)
    differences = np.array([s.energy for s in used]) - _energies(potential, head, used, elements, dtype)
    found, per_atom = fitted_zeros(counts, differences), differences / counts.sum(1)
    of_structures, square = (counts @ found) / counts.sum(1), float(np.mean(per_atom**2))
    left = float(np.mean((per_atom - of_structures) ** 2))
    energies = dict(zip(elements.symbols, found.tolist(), strict=True))
    explained, free = 1 - left / square if square else 0.0, len(used) - int(np.linalg.matrix_rank(counts))
    return Shift(energies, float(np.sqrt(np.mean(of_structures**2))), explained, free)


def of_new_elements(
    energies: Mapping[str, float], structures: Sequence[Structure], elements: Elements, cutoff: float
) -> dict[str, float]:
    """Return the energies [eV] of all elements: those given, and the others by least squares of what these leave.

    Args:
        energies: of the elements that are known.
        structures: with labels.
        elements: all.
        cutoff: length [A] of the longest bond: atoms without any have their reference energies, whatever fits the others.
    """
    new = [k for k, symbol in enumerate(elements.symbols) if symbol not in energies]
    base = np.array([energies.get(symbol, 0.0) for symbol in elements.symbols])
    used = [s for s in structures if s.energy is not None]
    if new and used:
        counts = composition(used, elements)
        weight = np.array([ISOLATED if is_isolated(s, cutoff) else 1.0 for s in used]) / counts.sum(1)
        left = (np.array([s.energy for s in used]) - counts @ base) * weight
        base[new] = np.linalg.lstsq(counts[:, new] * weight[:, None], left, rcond=1e-10)[0]
    return dict(zip(elements.symbols, base.tolist(), strict=True))


def _energies(
    potential: Potential, head: int, structures: Sequence[Structure], elements: Elements, dtype: torch.dtype
) -> np.ndarray:
    heads = {structure.group: head for structure in structures}
    dataset = Dataset(structures, elements, potential.cutoff(), heads=heads)
    batches = (collate([dataset[k]]).to("cpu", dtype) for k in range(len(dataset)))
    return np.array([float(predict(potential, batch.graph, derivatives=False).energy) for batch in batches])
