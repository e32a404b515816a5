"""Messages of higher degree than vectors and tensors in the last layer, and the scalars that an atom makes of them."""

import torch
from torch import Tensor, nn

from unnp.models.architectures.teanet.config import HIGHEST_OF_ALL, TeaNetConfig
from unnp.models.architectures.teanet.state import Bonds
from unnp.nn.bonds import multipoles
from unnp.nn.linear import linear
from unnp.nn.spectrum import spectrum, sums_of_degrees
from unnp.nn.spherical import SphericalHarmonics
from unnp.nn.tensors import taming


class Multipoles(nn.Module):
    """Sums ``M_clm = sum_j w_cj Y_lm(u_ij)`` over the neighbours of an atom, and the scalars that two of one degree make.

    These are ``sum_m M_clm M_dlm / sqrt(2 l + 1)`` of each channel c with itself, and with the one before, d. They are tamed:
    large ones grow as one factor does, not as two.

    Args:
        config: the degrees l from 3 to ``degree``, and the channels, which are the same for all of them.
    """

    sums: Tensor

    def __init__(self, config: TeaNetConfig) -> None:
        super().__init__()
        self.lowest, self.channels = HIGHEST_OF_ALL + 1, config.multipoles
        self.weights = linear(config.hidden, config.multipoles, bias=False, gain=0.5)
        self.harmonics = SphericalHarmonics(config.degree, "component", self.lowest)
        sums = sums_of_degrees(self.lowest, config.degree).to(torch.get_default_dtype())
        self.register_buffer("sums", sums, persistent=False)

    def forward(self, y: Tensor, bonds: Bonds, norm: float, n_all: int, n_updated: int) -> Tensor:
        """Return the scalars (n_updated, n_multipole_scalars).

        Args:
            y: (n_bonds, hidden), state of the bonds in this layer.
            bonds: the bonds.
            norm: factor on the sums.
            n_all: number of atoms, ghosts included.
            n_updated: of those whose scalars are returned, the first.
        """
        harmonics = self.harmonics(bonds.unit)
        rows = multipoles(self.weights(y), harmonics, bonds.pairs, n_all, self.lowest)[:n_updated]
        moments = rows.reshape(n_updated, self.channels, harmonics.shape[1])
        scalars = norm * norm * spectrum(moments, self.sums, self.lowest)
        return scalars * taming(scalars.square())
