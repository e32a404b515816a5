"""Graphs: one structure, or a batch of structures, as an architecture sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from unnp.atoms.elements import Elements
from unnp.atoms.neighbors import bond_vectors, bonds
from unnp.atoms.structure import Structure


@dataclass
class Graph:
    """One or several structures as atoms and bonds. Shapes, units and signs: docs/design.md.

    Attributes:
        species: (n_atoms,) int64, index into the model's elements.
        bond_index: (2, n_bonds) int64, each bond once.
        bond_vector: (n_bonds, 3) [A], r_j - r_i.
        atom_graph: (n_atoms,) int64, the structure an atom belongs to.
        volume: (n_graphs,) float64 [A^3], NaN where a structure is not periodic in all directions.
        head: (n_graphs,) int64, the level of theory of each structure, as position in the potential's list; default: the
            first.
    """

    species: Tensor
    bond_index: Tensor
    bond_vector: Tensor
    atom_graph: Tensor
    volume: Tensor
    head: Tensor = cast(Tensor, None)  # noqa: RUF009 - filled in below

    def __post_init__(self) -> None:
        if self.head is None:
            self.head = torch.zeros_like(self.volume, dtype=torch.int64)

    @property
    def arguments(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, int, int]:
        """What the methods of a potential take; without ghosts."""
        return self.species, self.bond_index, self.bond_vector, self.atom_graph, self.head, self.n_atoms, 0

    @property
    def n_atoms(self) -> int:
        return self.species.shape[0]

    @property
    def n_bonds(self) -> int:
        return self.bond_index.shape[1]

    @property
    def n_graphs(self) -> int:
        return self.volume.shape[0]

    def to(self, device: torch.device | str, dtype: torch.dtype) -> Graph:
        """Return the graph on a device, bond vectors in ``dtype``."""
        return Graph(
            self.species.to(device),
            self.bond_index.to(device),
            self.bond_vector.to(device, dtype),
            self.atom_graph.to(device),
            self.volume.to(device),
            self.head.to(device),
        )

    @classmethod
    def of(cls, structure: Structure, elements: Elements, cutoff: float, head: int = 0) -> Graph:
        """Return the graph of a structure with all bonds up to ``cutoff`` [A], bond vectors in float64, for a head."""
        index, shifts = bonds(structure, cutoff)
        vectors = bond_vectors(structure, index, shifts)
        return cls(
            torch.from_numpy(elements.species(structure.numbers, structure.source)),
            torch.from_numpy(index),
            torch.from_numpy(np.ascontiguousarray(vectors, dtype=np.float64)),
            torch.zeros(len(structure), dtype=torch.int64),
            torch.tensor([structure.volume], dtype=torch.float64),
            torch.tensor([head], dtype=torch.int64),
        )

    @classmethod
    def batch(cls, graphs: Sequence[Graph]) -> Graph:
        """Return the disjoint union of graphs; atoms keep their order."""
        offsets = np.concatenate([[0], np.cumsum([g.n_atoms for g in graphs])])[:-1]
        counts = np.concatenate([[0], np.cumsum([g.n_graphs for g in graphs])])[:-1]
        return cls(
            torch.cat([g.species for g in graphs]),
            torch.cat([g.bond_index + int(o) for g, o in zip(graphs, offsets, strict=True)], dim=1),
            torch.cat([g.bond_vector for g in graphs]),
            torch.cat([g.atom_graph + int(c) for g, c in zip(graphs, counts, strict=True)]),
            torch.cat([g.volume for g in graphs]),
            torch.cat([g.head for g in graphs]),
        )
