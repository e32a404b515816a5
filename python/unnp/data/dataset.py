"""Structures as graphs with labels: what the trainer and the evaluation read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.neighbors import bonds
from unnp.atoms.outputs import Cost
from unnp.atoms.quantities import QUANTITIES, STANDARD, Quantity
from unnp.atoms.structure import Structure
from unnp.data.costs import COUNTS
from unnp.data.statistics import atom_counts, group_names
from unnp.errors import DataError, unknown


@dataclass
class Labels:
    """The labels of one or several structures, float64; a label that is absent is NaN.

    Attributes:
        values: labels by the names of ``unnp.atoms.quantities``, (n_graphs, ...) or (n_atoms, ...); those that are not there
            are neither learnt nor measured.
        group: (n_graphs,) int64, index into ``Dataset.groups``.
        weights: factors on the labels of single atoms by the names that the quantities give them, (n_atoms,); 0: they take
            no part. Absent: 1 for all.
    """

    values: dict[str, Tensor]
    group: Tensor
    weights: dict[str, Tensor] = field(default_factory=dict)

    def __getitem__(self, quantity: str) -> Tensor:
        """Return the labels of a quantity."""
        return self.values[quantity]

    def weight(self, quantity: Quantity) -> Tensor | None:
        """Return the factors on the errors of single atoms, broadcastable to the label; None where all count alike."""
        weight = self.weights.get(quantity.weight)
        return None if weight is None else weight.view(-1, *([1] * len(quantity.shape)))

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors."""
        return [*self.values.values(), self.group, *self.weights.values()]

    def to(self, device: torch.device | str) -> Labels:
        """Return the labels on a device."""
        values = {name: tensor.to(device) for name, tensor in self.values.items()}
        weights = {name: tensor.to(device) for name, tensor in self.weights.items()}
        return Labels(values, self.group.to(device), weights)

    def with_values(self, quantity: str, values: Tensor) -> Labels:
        """Return the labels with others of one quantity."""
        return replace(self, values={**self.values, quantity: values})

    @classmethod
    def of(cls, structure: Structure, group: int, quantities: Sequence[str] = STANDARD) -> Labels:
        """Return labels of one structure; stress is none where it is not periodic in all directions."""
        n_atoms = len(structure)
        weight = np.ones(n_atoms) if structure.forces_weight is None else structure.forces_weight
        return cls(
            {name: _label(structure, QUANTITIES[name]) for name in quantities},
            torch.tensor([group], dtype=torch.int64),
            {"forces_weight": torch.from_numpy(np.array(weight, dtype=np.float64))},
        )

    @classmethod
    def batch(cls, parts: Sequence[Labels]) -> Labels:
        """Return the labels of several, in their order; all have the same quantities."""
        first = parts[0]
        return cls(
            {name: torch.cat([part.values[name] for part in parts]) for name in first.values},
            torch.cat([part.group for part in parts]),
            {name: torch.cat([part.weights[name] for part in parts]) for name in first.weights},
        )


def _label(structure: Structure, quantity: Quantity) -> Tensor:
    n_rows = len(structure) if quantity.per_atom else 1
    label = structure.label(quantity.name)
    if label is None or (quantity.needs_volume and not np.all(structure.pbc)):
        label = np.nan
    return torch.from_numpy(np.full((n_rows, *quantity.shape), label, dtype=np.float64))


@dataclass
class Batch:
    """Graphs and their labels, in the same order."""

    graph: Graph
    labels: Labels

    def to(self, device: torch.device | str, dtype: torch.dtype) -> Batch:
        """Return the batch on a device, bond vectors in ``dtype``; labels stay float64."""
        return Batch(self.graph.to(device, dtype), self.labels.to(device))

    @property
    def n_atoms(self) -> Tensor:
        """Number of atoms of each structure, (n_graphs,) float64."""
        ones = torch.ones_like(self.graph.atom_graph, dtype=torch.float64)
        return ones.new_zeros(self.graph.n_graphs).index_add(0, self.graph.atom_graph, ones)

    def mask(self, quantity: Quantity) -> Tensor:
        """Return where a label is present and counts (it may need a volume, or a weight), in the shape of the label."""
        mask = ~torch.isnan(self.labels[quantity.name])
        weight = self.labels.weight(quantity)
        if weight is not None:
            mask = mask & (weight > 0)
        return mask & self._along(torch.isfinite(self.graph.volume), mask) if quantity.needs_volume else mask

    def in_error(self, quantity: Quantity, values: Tensor) -> Tensor:
        """Return values as errors count: per atom where the quantity grows with their number."""
        return values / self._along(self.n_atoms, values) if quantity.extensive else values

    def group_of(self, quantity: Quantity) -> Tensor:
        """Return the group of each atom or structure, whichever has the quantity, int64."""
        return self.labels.group[self.graph.atom_graph] if quantity.per_atom else self.labels.group

    @staticmethod
    def _along(rows: Tensor, like: Tensor) -> Tensor:
        return rows.view(-1, *([1] * (like.dim() - 1)))

    @property
    def n_bytes(self) -> int:
        """Memory of all tensors [bytes]."""
        tensors = [*vars(self.graph).values(), *self.labels.tensors]
        return sum(t.numel() * t.element_size() for t in tensors)


def collate(batches: Sequence[Batch]) -> Batch:
    """Return the disjoint union of batches, in their order; raise DataError for none at all."""
    if not batches:
        raise DataError("a batch needs at least one structure.")
    return Batch(Graph.batch([b.graph for b in batches]), Labels.batch([b.labels for b in batches]))


class Dataset:
    """Structures with their graphs, which are built when first asked for and kept in memory.

    Args:
        structures: any sequence, for instance a list or a ``Store``.
        elements: the model's elements; an element outside them raises ModelError when its structure is read.
        cutoff: length of the longest bond [A].
        cache_bytes: bound on the memory of kept graphs, the least recently used go first; None: no bound.
        groups: names that group indices refer to; None: the sorted names that occur.
        heads: position of the head that each group belongs to; None: the first for all.
        quantities: names of the labels that are taken along.

    Raises:
        DataError: a structure belongs to a group that is not in ``groups``.
    """

    def __init__(
        self,
        structures: Sequence[Structure],
        elements: Elements,
        cutoff: float,
        *,
        cache_bytes: int | None = None,
        groups: Sequence[str] | None = None,
        heads: Mapping[str, int] | None = None,
        quantities: Sequence[str] = STANDARD,
    ) -> None:
        self.structures = structures
        self.elements = elements
        self.cutoff = cutoff
        self.quantities = tuple(quantities)
        self.n_atoms: np.ndarray = atom_counts(structures)
        names = group_names(structures)
        self.groups: list[str] = sorted(set(names)) if groups is None else list(groups)
        index = {name: k for k, name in enumerate(self.groups)}
        for name in set(names) - set(index):
            raise DataError(unknown("group", name, self.groups))
        self._group = [index[name] for name in names]
        self._heads = {} if heads is None else {index[name]: head for name, head in heads.items() if name in index}
        self._cache: OrderedDict[int, Batch] = OrderedDict()
        self._cache_bytes = cache_bytes
        self._used_bytes = 0
        self._counts: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.structures)

    def __getitem__(self, k: int) -> Batch:
        """Return structure ``k`` as a batch of one."""
        if not 0 <= k < len(self):
            raise IndexError(f"structure {k} of {len(self)}")
        if k in self._cache:
            self._cache.move_to_end(k)
            return self._cache[k]
        structure = self.structures[k]
        group = self._group[k]
        graph = Graph.of(structure, self.elements, self.cutoff, self._heads.get(group, 0))
        batch = Batch(graph, Labels.of(structure, group, self.quantities))
        self._keep(k, batch)
        return batch

    def costs(self, unit: Cost) -> np.ndarray:
        """Return the bonds (each once) or triplets of each structure, (n_structures,) int64; counted at the first call."""
        if self._counts is None:
            counts = [[count(self._bonds(k)) for count in COUNTS.values()] for k in range(len(self))]
            self._counts = np.array(counts, dtype=np.int64).reshape(-1, len(COUNTS))
        return self._counts[:, list(COUNTS).index(unit)]

    @property
    def group_sizes(self) -> list[int]:
        """Number of structures of each group."""
        return np.bincount(self._group, minlength=len(self.groups)).tolist()

    @property
    def average_neighbors(self) -> float:
        """Average number of neighbours of an atom within the cutoff, ``2 n_bonds / n_atoms``."""
        return float(2 * self.costs("bonds").sum() / max(1, self.n_atoms.sum()))

    def _bonds(self, k: int) -> np.ndarray:
        """Return the bonds (2, n_bonds) of a structure: build the graph once where it can be kept, else find bonds alone."""
        if self._cache_bytes is None or k in self._cache:
            return np.asarray(self[k].graph.bond_index)
        return bonds(self.structures[k], self.cutoff)[0]

    def _keep(self, k: int, batch: Batch) -> None:
        self._cache[k] = batch
        self._used_bytes += batch.n_bytes
        while self._cache_bytes is not None and self._used_bytes > self._cache_bytes and self._cache:
            _, oldest = self._cache.popitem(last=False)
            self._used_bytes -= oldest.n_bytes
