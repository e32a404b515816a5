"""Two atoms that are closer than any in the training data, as a network sees them."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from unnp.atoms.graph import Graph
from unnp.nn.system import System

MARGIN = 0.95
"""of the shortest distance of the training data: structures of the same kind come a little closer now and then"""

WIDTH = 0.1
"""of that distance: how much closer two atoms come until nothing changes any more"""


class Closest(nn.Module):
    """Bond vectors that become hardly shorter than the shortest of the training data.

    A network says nothing reliable of shorter ones, and what it says there may be far larger than the repulsion of two nuclei.
    With the distance ``d`` of two elements, ``MARGIN`` times the shortest, ``w = WIDTH d`` and ``x = min((d - r) / w, 1)``, a
    bond shorter than ``d`` gets the length ``d - w (x - x^3 + x^4 / 2)``, and keeps its direction: the length and its first two
    derivatives are continuous, and it is ``d - w / 2`` for all ``r < d - w``.

    Args:
        distances: (n_elements, n_elements) [A], of each pair of elements; 0 for none. Empty: no pair has one.
    """

    distances: Tensor

    def __init__(self, distances: Sequence[Sequence[float]]) -> None:
        super().__init__()
        self.width = WIDTH
        self.longest = max((max(row) for row in distances), default=0.0)
        table = torch.tensor(distances, dtype=torch.float64) if self.longest else torch.zeros(0, 0)
        self.register_buffer("distances", table, persistent=False)

    def table(self) -> list[list[float]]:
        """Return the distances as given."""
        rows: list[list[float]] = self.distances.tolist()
        return rows

    def forward(self, system: System) -> System:
        """Return the system as a network sees it; the same where no two atoms are too close."""
        if self.longest == 0.0:
            return system
        squared = system.bond_vector.detach().square().sum(1)
        # "not beyond" instead of "within": a distance that is not a number has to show in the energy
        rows = torch.nonzero(torch.logical_not(squared >= self.longest * self.longest)).squeeze(1)
        if rows.shape[0] == 0:
            return system
        near = system.bond_vector.index_select(0, rows)
        length = near.square().sum(1).sqrt()
        i = system.species.index_select(0, system.bond_index[0].index_select(0, rows))
        j = system.species.index_select(0, system.bond_index[1].index_select(0, rows))
        shortest = self.distances.flatten().index_select(0, self.distances.shape[0] * i + j).to(length.dtype)
        change = (self.seen(length, shortest) / length - 1.0).unsqueeze(1)
        vector = system.bond_vector.index_add(0, rows, change * near)
        return System(
            system.species,
            system.bond_index,
            vector,
            system.graph,
            system.n_graphs,
            system.n_updated,
            system.halo,
        )

    def seen(self, length: Tensor, shortest: Tensor) -> Tensor:
        """Return the lengths (n_bonds,) that stand for these lengths; ``shortest`` (n_bonds,) may be 0."""
        width = self.width * shortest
        x = torch.clamp((shortest - length) / width.clamp(min=1e-6), min=0.0, max=1.0)
        return torch.where(length < shortest, shortest - width * (x - x.pow(3) + 0.5 * x.pow(4)), length)


def shortest_distances(graphs: Iterable[Graph], n_elements: int) -> list[list[float]]:
    """Return the shortest distance [A] of each pair of elements in structures; 0 where no two are bonded."""
    found = torch.full((n_elements * n_elements,), torch.inf, dtype=torch.float64)
    for graph in graphs:
        one, other = graph.species[graph.bond_index[0]], graph.species[graph.bond_index[1]]
        lengths = graph.bond_vector.double().norm(dim=1)
        for pair in (n_elements * one + other, n_elements * other + one):
            found = found.scatter_reduce(0, pair, lengths, "amin")
    rows: list[list[float]] = found.nan_to_num(posinf=0.0).view(n_elements, n_elements).tolist()
    return rows


def joined_distances(
    known: Sequence[Sequence[float]], n_known: int, found: Sequence[Sequence[float]], *, lower: bool
) -> list[list[float]]:
    """Return the distances [A] of a network that goes on with other data, and perhaps with elements behind its own.

    Pairs with a new element have those of the new data, and so have known ones of which there were no data before.

    Args:
        known: (n_known, n_known), of the network so far. Empty: it sees known elements as close as they are, and goes on so.
        n_known: its elements.
        found: (n_elements, n_elements), of the new data; 0 for none.
        lower: whether known pairs take that of the new data where it is smaller; else they keep theirs.
    """
    joined = torch.tensor(found, dtype=torch.float64)
    ours = torch.zeros(n_known, n_known, dtype=torch.float64)
    if known:
        theirs, ours = joined[:n_known, :n_known], torch.tensor(known, dtype=torch.float64)
        taken = (ours == 0) | (lower & (theirs > 0) & (theirs < ours))
        ours = torch.where(taken, theirs, ours)
    joined[:n_known, :n_known] = ours
    rows: list[list[float]] = joined.tolist()
    return rows if any(map(any, rows)) else []
