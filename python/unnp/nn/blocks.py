"""Neighbours in blocks of one size, so that sums over them are matrix products.

The edges that an atom receives stand side by side in one or several blocks, the last of them filled up. With blocks, the sum
``sum_e a_e (x) b_e`` over an atom's edges is a batched product of matrices, and the product of each edge is never stored.
"""

from typing import NamedTuple

import torch
from torch import Tensor

BLOCK = 16
"""Neighbours in a block: with more of them more places stay empty, with fewer there are more sums to add up."""


class Blocks(NamedTuple):
    """Edges by receiver.

    Attributes:
        edge: (n_blocks * size,) int64, the edge in each slot; any edge in those that are filled up.
        taken: (n_blocks * size,) bool, False in slots that are filled up: what stands there must not count.
        atom: (n_blocks,) int64, the atom that receives the edges of a block; ascending. An atom without edges has no block.
    """

    edge: Tensor
    taken: Tensor
    atom: Tensor


def neighbor_blocks(receiver: Tensor, n_atoms: int, size: int = BLOCK) -> Blocks:
    """Return the edges of each atom in blocks.

    Args:
        receiver: (n_edges,) int64, the atom that an edge belongs to.
        n_atoms: number of atoms.
        size: edges in a block.
    """
    order = torch.argsort(receiver, stable=True)
    receiver = receiver.index_select(0, order)
    counts = torch.zeros([n_atoms], dtype=torch.int64, device=receiver.device)
    counts = counts.index_add(0, receiver, torch.ones_like(receiver))
    n_blocks = torch.div(counts + (size - 1), size, rounding_mode="floor")
    # by how much an atom's first slot is beyond its first edge
    shift = size * (torch.cumsum(n_blocks, 0) - n_blocks) - (torch.cumsum(counts, 0) - counts)
    slot = torch.arange(order.shape[0], device=receiver.device) + shift.index_select(0, receiver)
    edge = torch.zeros([size * int(n_blocks.sum())], dtype=torch.int64, device=receiver.device)
    atom = torch.zeros_like(edge).index_copy(0, slot, receiver)[::size]  # the first slot of a block is taken
    taken = torch.zeros_like(edge, dtype=torch.bool).index_fill(0, slot, True)
    return Blocks(edge.index_copy(0, slot, order), taken, atom)
