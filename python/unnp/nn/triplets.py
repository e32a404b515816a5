"""Pairs of directed edges that meet at an atom.

Which pairs are no triplets is decided by edges, not by atoms: in a small cell an atom may have several edges to the same other
atom, or to images of itself, and all of them are different neighbours.
"""

import torch
from torch import Tensor

from unnp.nn.edges import Edges


def chains(edges: Edges, n_atoms: int) -> tuple[Tensor, Tensor]:
    """Return all ``k -> j -> i`` as pairs of edges ``(k -> j, j -> i)``, each (n_chains,) int64, without turning straight back.

    The vectors from j to its neighbours are ``edges.vector[first]`` to k and ``-edges.vector[second]`` to i. A chain is found
    where the middle atom j receives edges: all of them only where no neighbour is a ghost, or where ghosts are updated too
    (halo "wide").

    Args:
        edges: directed edges.
        n_atoms: updated atoms and ghosts.
    """
    first, second = _received_by(edges.sender, edges.receiver, n_atoms)
    onward = torch.nonzero(first != edges.opposite.index_select(0, second)).squeeze(1)
    return first.index_select(0, onward), second.index_select(0, onward)


def pairs(edges: Edges, n_atoms: int) -> tuple[Tensor, Tensor]:
    """Return all pairs of different edges received by the same atom, each (n_pairs,) int64 and every pair once, first < second.

    Args:
        edges: directed edges.
        n_atoms: updated atoms and ghosts.
    """
    first, second = _received_by(edges.receiver, edges.receiver, n_atoms)
    once = torch.nonzero(first < second).squeeze(1)
    return first.index_select(0, once), second.index_select(0, once)


def _received_by(atoms: Tensor, receiver: Tensor, n_atoms: int) -> tuple[Tensor, Tensor]:
    """Return for every row of ``atoms`` the edges that its atom receives: (edge, row), both (n,) int64."""
    order = torch.argsort(receiver, stable=True)
    counts = torch.zeros([n_atoms], dtype=torch.int64, device=receiver.device)
    counts = counts.index_add(0, receiver, torch.ones_like(receiver))
    start = torch.cumsum(counts, 0) - counts
    found = counts.index_select(0, atoms)
    ends = torch.cumsum(found, 0)
    place = torch.arange(int(found.sum()), device=atoms.device)
    row = torch.bucketize(place, ends, right=True)
    position = place - (ends - found).index_select(0, row)
    return order.index_select(0, start.index_select(0, atoms).index_select(0, row) + position), row
