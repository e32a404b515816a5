"""From atoms to structures: sums and means over all atoms of a structure, on all ranks."""

import torch
from torch import Tensor

from unnp.nn.system import System


def sum_by_graph(x: Tensor, system: System) -> Tensor:
    """Return the sum over each structure's atoms, (n_graphs, ...), of all ranks; added up in float64.

    Every rank has to call it equally often, and with ``x`` of one width: it is a global communication, in both halves of each
    step. The halo may not be wide, in which a rank's rows are not its own atoms alone.

    Args:
        x: (n_updated, ...), of the updated atoms.
        system: whose structures.
    """
    shape = list(x.shape)
    shape[0] = system.n_graphs
    zero = torch.zeros(shape, dtype=torch.float64, device=x.device)
    total = zero.index_add(0, system.graph[: system.n_updated], x.double())
    if system.halo != 0:
        # The energies of a rank that has no bonds depend on the others' atoms too: its gradients have to reach them.
        total = torch.ops.unnp.sum_over_ranks(total + 0.0 * system.bond_vector.double().sum(), system.halo)
    return total.to(x.dtype)


def mean_by_graph(x: Tensor, system: System) -> Tensor:
    """Return the mean over each structure's atoms, (n_graphs, ...), of all ranks; 0 for a structure without atoms.

    Arguments and rules are those of :func:`sum_by_graph`; it is one communication.
    """
    rows = x.double().unsqueeze(1).flatten(1)
    total = sum_by_graph(torch.cat([rows, torch.ones_like(rows[:, :1])], dim=1), system)
    shape = list(x.shape)
    shape[0] = system.n_graphs
    return (total[:, :-1] / total[:, -1:].clamp(min=1.0)).reshape(shape).to(x.dtype)
