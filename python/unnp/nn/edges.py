"""Bonds within a cutoff, and bonds as directed edges.

A bond is listed once, from an owned atom i to an atom j that is owned or a ghost. A network that keeps a state for each
direction takes :func:`directed`; one whose filters are the same in both directions needs only the list itself.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Edges(NamedTuple):
    """Directed edges, sender -> receiver: both directions of every bond, as far as their receivers count.

    Attributes:
        receiver: (n_edges,) int64, an atom that receives.
        sender: (n_edges,) int64, any atom or ghost.
        vector: (n_edges, 3) [A], r_sender - r_receiver.
        opposite: (n_edges,) int64, the edge that is the other direction of the same bond; -1 where there is none.
        bond: (n_edges,) int64, the row of the bond in the list.
    """

    receiver: Tensor
    sender: Tensor
    vector: Tensor
    opposite: Tensor
    bond: Tensor


def within(bond_index: Tensor, bond_vector: Tensor, cutoff: float) -> tuple[Tensor, Tensor]:
    """Return the bonds shorter than a cutoff [A]: their index (2, n) and vectors (n, 3) [A].

    A list may hold bonds that another summand of the potential asked for. What a network makes of a bond at its cutoff has to
    be zero, so that nothing jumps where a bond leaves the selection.

    Args:
        bond_index: (2, n_bonds) int64.
        bond_vector: (n_bonds, 3) [A].
        cutoff: [A].
    """
    # "not beyond" instead of "within": a distance that is not a number has to show in the energy
    near = torch.logical_not(bond_vector.detach().square().sum(1) >= cutoff * cutoff)
    rows = torch.nonzero(near).squeeze(1)
    return bond_index.index_select(1, rows), bond_vector.index_select(0, rows)


def bonded(bond_index: Tensor, n_atoms: int, n_updated: int) -> Tensor:
    """Return which of the updated atoms have a bond, (n_updated,) bool.

    Args:
        bond_index: (2, n_bonds) int64.
        n_atoms: updated atoms and ghosts.
        n_updated: updated atoms.
    """
    lone = torch.zeros([n_atoms], dtype=torch.bool, device=bond_index.device)
    return lone.index_fill(0, bond_index.flatten(), True)[:n_updated]


def directed(bond_index: Tensor, bond_vector: Tensor, n_receivers: int) -> Edges:
    """Return both directions of every bond, as far as one of the first atoms receives them.

    First come the edges received by the bonds' atoms i, in the order of the list, then those received by their atoms j. An atom
    that is bonded to its own image receives both directions of that bond.

    Args:
        bond_index: (2, n_bonds) int64; row 0 is owned, row 1 owned or a ghost.
        bond_vector: (n_bonds, 3) [A], r_j - r_i.
        n_receivers: atoms that receive, the first: the updated ones, or, in a network whose state is on edges and whose halo is
            wide, ghosts too.
    """
    i, j = bond_index[0], bond_index[1]
    n_bonds = i.shape[0]
    back = torch.nonzero(j < n_receivers).squeeze(1)
    bond = torch.arange(n_bonds, device=i.device)
    other = torch.full_like(bond, -1).index_copy(0, back, torch.arange(back.shape[0], device=i.device) + n_bonds)
    return Edges(
        torch.cat([i, j.index_select(0, back)]),
        torch.cat([j, i.index_select(0, back)]),
        torch.cat([bond_vector, -bond_vector.index_select(0, back)]),
        torch.cat([other, back]),
        torch.cat([bond, back]),
    )
