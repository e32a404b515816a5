"""Messages of higher degree than vectors and tensors, and the scalars that an atom makes of them."""

import torch
from torch import Tensor, nn

from unnp.nn.bonds import multipoles
from unnp.nn.linear import linear
from unnp.nn.tensors import taming

LOWEST = 3
"""degree of the first multipoles: those below are the scalars, vectors and tensors of TeaNet"""


class Multipoles(nn.Module):
    """Sums ``M_clm = sum_j w_cj Y_lm(u_ij)`` over the neighbours of an atom, and the scalars that two of one degree make.

    These are ``sum_m M_clm M_dlm / sqrt(2 l + 1)`` of each channel c with itself, and with the next one, d. They are tamed:
    large ones grow as one factor does, not as two.

    Args:
        hidden: width of the state of a bond, of which the weights w are linear.
        degree: highest l.
        channels: weights, the same for all degrees.
    """

    contraction: Tensor

    def __init__(self, hidden: int, degree: int, channels: int) -> None:
        super().__init__()
        self.lowest, self.channels = LOWEST, channels
        self.weights = linear(hidden, channels, bias=False, gain=0.5)
        self.n_invariants = 2 * channels * (degree + 1 - LOWEST)
        self.register_buffer("contraction", sums_of_degrees(LOWEST, degree), persistent=False)

    def forward(
        self, y: Tensor, harmonics: Tensor, bond_index: Tensor, norm: float, n_all: int, n_updated: int
    ) -> Tensor:
        """Return the scalars (n_updated, n_invariants).

        Args:
            y: (n_bonds, hidden), state of the bonds.
            harmonics: (n_bonds, components), of the directions from i to j, of all degrees from 3 on.
            bond_index: (2, n_bonds).
            norm: factor on the sums.
            n_all: number of atoms, ghosts included.
            n_updated: of those whose scalars are returned, the first.
        """
        rows = multipoles(self.weights(y), harmonics, bond_index, n_all, self.lowest)[:n_updated]
        moments = norm * rows.reshape(n_updated, self.channels, harmonics.shape[1])
        pairs = torch.cat([moments * moments, moments * moments.roll(1, 1)], dim=1)
        invariants = torch.matmul(pairs, self.contraction.to(pairs.dtype)).flatten(1)
        return invariants * taming(invariants.square())


def sums_of_degrees(lowest: int, highest: int) -> Tensor:
    """Return (components, degrees): ``1 / sqrt(2 l + 1)`` where a component is one of degree l, and 0 elsewhere."""
    columns = [torch.full((2 * degree + 1, 1), (2 * degree + 1) ** -0.5) for degree in range(lowest, highest + 1)]
    return torch.block_diag(*columns)
