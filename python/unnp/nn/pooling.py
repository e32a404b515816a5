"""From atoms to structures. Sums over the atoms of one process; in a batch, each structure by itself."""

import torch
from torch import Tensor


def sum_by_graph(x: Tensor, atom_graph: Tensor, n_graphs: int) -> Tensor:
    """Return the sum over each structure's atoms, (n_graphs, ...).

    Args:
        x: (n_atoms, ...).
        atom_graph: (n_atoms,) int64, the structure an atom belongs to.
        n_graphs: number of structures.
    """
    shape = list(x.shape)
    shape[0] = n_graphs
    return x.new_zeros(shape).index_add(0, atom_graph, x)


def mean_by_graph(x: Tensor, atom_graph: Tensor, n_graphs: int) -> Tensor:
    """Return the mean over each structure's atoms, (n_graphs, ...); 0 for a structure without atoms. Arguments as above."""
    counts = sum_by_graph(torch.ones_like(atom_graph), atom_graph, n_graphs).clamp(min=1)
    return sum_by_graph(x, atom_graph, n_graphs) / counts.view([n_graphs] + [1] * (x.dim() - 1))
