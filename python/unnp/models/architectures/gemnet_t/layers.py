"""The layers of GemNet-T."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from unnp.models.architectures.gemnet_t.config import GemNetTConfig
from unnp.nn.activations import ScaledSiLU
from unnp.nn.angles import AngularSums, Neighborhoods
from unnp.nn.exchange import exchange
from unnp.nn.linear import linear
from unnp.nn.scaling import Scaling


class Geometry(NamedTuple):
    """Directed edges c -> a, and functions of their lengths that vanish smoothly at the cutoff.

    Attributes:
        receiver, sender, opposite: (n_edges,) int64, see ``Edges``; ghosts receive edges too.
        arriving, to_atoms, to_outputs: (n_edges, radial_channels), combinations of radial functions.
        circular: (n_edges, circular_channels, angular_functions).
        around: the edges of each atom.
    """

    receiver: Tensor
    sender: Tensor
    opposite: Tensor
    arriving: Tensor
    to_atoms: Tensor
    to_outputs: Tensor
    circular: Tensor
    around: Neighborhoods


def joined(a: Tensor, b: Tensor) -> Tensor:
    """Return ``(a + b) / sqrt(2)``, whose variance is theirs."""
    return (a + b) * 0.5**0.5


def dense(n_in: int, n_out: int) -> nn.Sequential:
    """Return a linear map without bias and the activation: nothing comes of nothing, so that cutoffs stay smooth."""
    return nn.Sequential(linear(n_in, n_out, bias=False, centered=True), ScaledSiLU())


class Residual(nn.Module):
    """``(x + dense(dense(x))) / sqrt(2)``."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(dense(n, n), dense(n, n))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n_rows, n), as ``x``."""
        return joined(x, self.layers(x))


def residuals(n: int, number: int) -> nn.Sequential:
    """Return residual layers, one after the other."""
    return nn.Sequential(*[Residual(n) for _ in range(number)])


class Triplets(nn.Module):
    """What a message learns from the other messages that both of its ends receive.

    ``t_ca = dense(sum_ij W_ij C_ca,il sum_b p_l(angle_cab) x_ba,j)`` with ``x_ba = dense(dense(m_ba) * radial(r_ba))`` and the
    circular basis C; added is the same of the opposite edge, at c.
    """

    def __init__(self, config: GemNetTConfig) -> None:
        super().__init__()
        n, narrow, wide = config.edge_channels, config.angular_channels, config.bilinear_channels
        self.arriving = dense(n, n)
        self.radial = linear(config.radial_channels, n, bias=False)
        self.scale_radial, self.scale_sum = Scaling(), Scaling(of_sum=True)
        self.down = dense(n, narrow)
        self.angles = AngularSums(config.angular_functions)
        self.bilinear = linear(config.circular_channels * narrow, wide, bias=False)
        self.here, self.there = dense(wide, n), dense(wide, n)

    def forward(self, m: Tensor, geometry: Geometry) -> Tensor:
        """Return (n_edges, edge_channels)."""
        whole = self.arriving(m)
        x = self.down(self.scale_radial(whole * self.radial(geometry.arriving), whole))
        sums = torch.bmm(geometry.circular, self.angles.resolved(x, geometry.around))
        t = self.scale_sum(self.bilinear(sums.flatten(1)), x)
        return joined(self.here(t), self.there(t).index_select(0, geometry.opposite))


class AtomUpdate(nn.Module):
    """Features of atoms from the messages that they receive: ``residuals(dense(sum_c m_ca * radial(r_ca)))``."""

    def __init__(self, config: GemNetTConfig) -> None:
        super().__init__()
        n = config.atom_channels
        self.radial = linear(config.radial_channels, config.edge_channels, bias=False)
        self.scale_sum = Scaling(of_sum=True)
        self.layers = nn.Sequential(dense(config.edge_channels, n), residuals(n, config.atom_layers))

    def forward(self, m: Tensor, radial: Tensor, geometry: Geometry) -> Tensor:
        """Return (n_updated, atom_channels)."""
        n_all, n_updated = geometry.around.directions.shape[0], geometry.around.n_updated
        parts = m * self.radial(radial)
        total = m.new_zeros([n_all, m.shape[1]]).index_add(0, geometry.receiver, parts)[:n_updated]
        features: Tensor = self.layers(self.scale_sum(total, m))
        return features


class Embedding(nn.Module):
    """``dense([h_a, h_c, x])`` for each edge, of its atoms and of what it has itself."""

    def __init__(self, config: GemNetTConfig, n_own: int) -> None:
        super().__init__()
        self.layer = dense(2 * config.atom_channels + n_own, config.edge_channels)

    def forward(self, h: Tensor, own: Tensor, geometry: Geometry) -> Tensor:
        """Return (n_edges, edge_channels) from atoms (n_all, atom_channels) and edges (n_edges, n_own)."""
        a, c = h.index_select(0, geometry.receiver), h.index_select(0, geometry.sender)
        m: Tensor = self.layer(torch.cat([a, c, own], dim=1))
        return m


class Interaction(nn.Module):
    """New messages and new atoms, from each other."""

    def __init__(self, config: GemNetTConfig) -> None:
        super().__init__()
        n = config.edge_channels
        self.old, self.triplets = dense(n, n), Triplets(config)
        self.before, self.after = residuals(n, config.layers_before_skip), residuals(n, config.layers_after_skip)
        self.atoms = AtomUpdate(config)
        self.from_atoms, self.then = Embedding(config, n), residuals(n, config.layers_after_atoms)

    def forward(self, h: Tensor, m: Tensor, geometry: Geometry) -> tuple[Tensor, Tensor]:
        """Return atoms (n_all, atom_channels) and messages (n_edges, edge_channels)."""
        x = self.before(joined(self.old(m), self.triplets(m, geometry)))
        m = self.after(joined(m, x))
        around = geometry.around
        h = joined(h[: around.n_updated], self.atoms(m, geometry.to_atoms, geometry))
        if around.halo != 0:
            h = exchange(h, around.directions.shape[0], around.halo)
        return h, joined(m, self.then(self.from_atoms(h, m, geometry)))
