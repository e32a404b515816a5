"""Zeros of energy: whether new labels count from the same energies of the elements as a head that exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from unnp.atoms.elements import Elements, atomic_number
from unnp.atoms.neighbors import bonds
from unnp.atoms.structure import Structure
from unnp.data.dataset import Dataset, collate
from unnp.data.reference_energies import is_isolated
from unnp.data.statistics import group_names
from unnp.data.zeros import composition, fitted_zeros
from unnp.derivatives import predict
from unnp.models import Potential
from unnp.train.mixed import parts_of

OTHER_ZERO = 1.0
"""Mean shift of the energies [eV/atom] from which on labels are of another zero: a model of the same is seldom as wrong."""
DOUBTFUL = 0.05
"""The same, from which on they may be: corrections as MP2020 are 0.1 to 0.7 eV for each atom of some elements."""
VISIBLE_JUMP = 0.1
"""Constant [eV/atom] between the differences of new structures that are alike, from which on it is told of."""
EXPLAINED = 0.9
"""Part of the mean square of the differences that such a shift has to make."""
ISOLATED = 1e5
"""Weight of isolated atoms beside other structures."""
CERTAIN = 0.99
"""The same of a part of the structures, which may be of a kind that the head has never seen, such as dimers."""
MOST = 500
"""Structures that are looked at, drawn evenly; more where each group's ``OF_GROUP`` are more."""
CONDENSED = 4
"""Neighbours per atom from which on a structure is no small cluster."""
OF_GROUP = 8
"""Structures of a small group that are looked at."""


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
    def is_another_zero_of_a_part(self) -> bool:
        """The same, of structures among others that may be of kinds of their own."""
        return self.size > OTHER_ZERO and self.explained > CERTAIN and self.free > 0

    @property
    def may_be_another_zero(self) -> bool:
        """Whether it is nearly all that the labels differ by, so that another zero of energy would explain it."""
        return self.size > DOUBTFUL and self.explained > EXPLAINED and self.free > 0


@dataclass(frozen=True)
class Differences:
    """What labels of structures differ by from the energies of a head.

    Attributes:
        structures: that were looked at.
        counts: (n_structures, n_elements) atoms of each element.
        per_atom: (n_structures,) [eV/atom].
        elements: of the head.
    """

    structures: list[Structure]
    counts: np.ndarray
    per_atom: np.ndarray
    elements: Elements

    @property
    def shift(self) -> Shift:
        """What a constant for each element makes of them."""
        if not self.structures:
            return Shift({})
        n_atoms, square = self.counts.sum(1), float(np.mean(self.per_atom**2))
        found = fitted_zeros(self.counts, self.per_atom * n_atoms)
        of_structures = (self.counts @ found) / n_atoms
        left = float(np.mean((self.per_atom - of_structures) ** 2))
        energies = dict(zip(self.elements.symbols, found.tolist(), strict=True))
        explained = 1 - left / square if square else 0.0
        free = len(self.structures) - int(np.linalg.matrix_rank(self.counts))
        return Shift(energies, float(np.sqrt(np.mean(of_structures**2))), explained, free)

    def of(self, positions: Sequence[int]) -> Differences:
        """Return those of some of the structures."""
        chosen = list(positions)
        return Differences(
            [self.structures[k] for k in chosen], self.counts[chosen], self.per_atom[chosen], self.elements
        )


def differences_of(potential: Potential, head: int, structures: Sequence[Structure], dtype: torch.dtype) -> Differences:
    """Return how far the labels of structures are from the energies of a head, of a sample of them.

    Args:
        potential: with the head.
        head: its position.
        structures: with labels; those without energy, and those with elements that the potential does not know, do not count.
        dtype: number type of the bond vectors.
    """
    elements = Elements(potential.elements)
    known = {atomic_number(symbol) for symbol in potential.elements}
    used = [s for s in sampled(structures) if known.issuperset(s.numbers.tolist())]
    counts = composition(used, elements)
    energies = np.array([s.energy for s in used]) - _energies(potential, head, used, elements, dtype)
    return Differences(used, counts, energies / counts.sum(1), elements)


def parts_of_another_zero(found: Differences, cutoff: float) -> Iterator[tuple[str, Shift]]:
    """Yield the files and groups of which nothing but another zero of energy makes the differences, where there are several.

    That is no proof: a head may err by nearly a constant for a kind of structures that it has not seen, and for atoms, pairs
    and small clusters, which do not count, it does. Proof are structures that are alike, of ``unnp.train.mixed.jumps``. Where
    files are named, groups are not.

    Args:
        found: of all structures of a head.
        cutoff: length [A] of the longest bond.
    """
    dense = [k for k, s in enumerate(found.structures) if 2 * bonds(s, cutoff)[0].shape[1] >= CONDENSED * len(s)]
    for names in parts_of(found.structures).values():
        parts = sorted(set(names)) if len(set(names)) > 1 else []
        shifts = {name: found.of([k for k in dense if names[k] == name]).shift for name in parts}
        if told := {name: shift for name, shift in shifts.items() if shift.is_another_zero_of_a_part}:
            yield from told.items()
            return


def sampled(structures: Sequence[Structure]) -> list[Structure]:
    """Return structures with energies, at most ``MOST`` that are drawn evenly, and of each group some."""
    groups: dict[str, list[int]] = {}
    names = group_names(structures)
    for k in np.random.default_rng(0).permutation(len(names)).tolist():
        groups.setdefault(names[k], []).append(k)
    share = MOST / max(MOST, len(names))
    drawn = [members[: max(OF_GROUP, round(share * len(members)))] for members in groups.values()]
    chosen = (structures[k] for k in sorted(k for part in drawn for k in part))
    return [structure for structure in chosen if structure.energy is not None and len(structure)]


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
