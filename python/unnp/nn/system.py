"""What an architecture sees of the atoms."""

from typing import NamedTuple

import torch
from torch import Tensor


class System(NamedTuple):
    """Atoms and bonds in one process, or in a batch of structures.

    Rows of atoms: first those that are updated, then ghosts, of which there are none in Python. A bond is listed once,
    by the process that updates its first atom; the second may be a ghost.

    Attributes:
        species: (n_all,) int64, position in the list of elements.
        bond_index: (2, n_bonds) int64, atoms i and j; ``i < n_updated``, and ``i == j`` for a bond to an image of itself.
        bond_vector: (n_bonds, 3) [A], from i to j.
        graph: (n_all,) int64, the structure an atom belongs to.
        n_graphs: number of structures.
        n_updated: number of atoms to write features or energies of; all rows where the halo is wide.
        halo: handle of the exchange, 0 for none.
    """

    species: Tensor
    bond_index: Tensor
    bond_vector: Tensor
    graph: Tensor
    n_graphs: int
    n_updated: int
    halo: int


def lone_atoms(n_elements: int, like: System) -> System:
    """Return one atom of each element without bonds, each a structure of its own, on the device of another system."""
    species = torch.arange(n_elements, device=like.species.device)
    return System(species, like.bond_index[:, :0], like.bond_vector.detach()[:0], species, n_elements, n_elements, 0)
