"""Messages of higher degree than vectors and tensors, and the scalars that an atom makes of them."""

import torch
from torch import Tensor, nn

from unnp.nn.bonds import multipoles
from unnp.nn.linear import linear
from unnp.nn.tensors import taming

LOWEST = 3
"""degree of the first multipoles: those below are the scalars, vectors and tensors of TeaNet"""


class Multipoles(nn.Module):
    """Sums ``M_lm = sum_j w_lj Y_lm(u_ij)`` over the neighbours of an atom, and the scalars that two of one degree make.

    Linear maps mix the channels of each degree into two, ``P`` and ``Q``; the scalars are ``sum_m P_lm Q_lm / sqrt(2 l + 1)``.
    They are tamed: large ones grow as one factor does, not as two.

    Args:
        hidden: width of the state of a bond, of which the weights w are linear.
        degree: highest l.
        channels: weights of each degree.
    """

    def __init__(self, hidden: int, degree: int, channels: int) -> None:
        super().__init__()
        self.lowest, self.n_degrees, self.channels = LOWEST, degree + 1 - LOWEST, channels
        self.weights = linear(hidden, channels, bias=False, gain=0.5)
        self.mixing = nn.Parameter(torch.randn(self.n_degrees, 2 * channels, channels) / channels**0.5)
        self.components = [2 * (LOWEST + k) + 1 for k in range(self.n_degrees)]

    def forward(
        self, y: Tensor, harmonics: Tensor, bond_index: Tensor, norm: float, n_all: int, n_updated: int
    ) -> Tensor:
        """Return the scalars (n_updated, n_degrees * channels).

        Args:
            y: (n_bonds, hidden), state of the bonds.
            harmonics: (n_bonds, components), of the directions from i to j, of all degrees from 3 on.
            bond_index: (2, n_bonds).
            norm: factor on the sums.
            n_all: number of atoms, ghosts included.
            n_updated: of those whose scalars are returned, the first.
        """
        rows = norm * multipoles(self.weights(y), harmonics, bond_index, n_all, self.lowest)[:n_updated]
        parts = torch.split(rows.reshape(n_updated, self.channels, sum(self.components)), self.components, dim=2)
        scalars: list[Tensor] = []
        for k, moments in enumerate(parts):
            one, other = torch.split(torch.matmul(self.mixing[k], moments), [self.channels, self.channels], dim=1)
            scalars.append((one * other).sum(2) / self.components[k] ** 0.5)
        invariants = torch.cat(scalars, dim=1)
        return invariants * taming(invariants.square())
