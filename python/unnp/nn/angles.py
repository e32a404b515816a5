"""Sums over the angles between edges, without triplets.

``p_l = sqrt((2l + 1) / 4 pi) P_l``, which is Y_l0, of the cosine of the angle between two edges e and f of the same atom. By
the addition theorem ``P_l(cos(e, f)) = 4 pi / (2l + 1) sum_m Y_lm(e) Y_lm(f)``, so that a sum over all f is made once for the
atom and then looked at from each e; the part of e itself is taken out again. That is exact, and costs ``n_degrees^2`` products
for an edge and channel, whatever the number of neighbours. The angle itself is not needed, which has no derivative at 0 and
180 degrees.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from unnp.nn.exchange import exchange
from unnp.nn.spherical import SphericalHarmonics
from unnp.nn.system import System


class Neighborhoods(NamedTuple):
    """The edges that each atom receives, in places of its own, so that sums over them are matrix products.

    Attributes:
        slot: (n_edges,) int64, atom and place of an edge as one number.
        directions: (n_all, n_places, n_degrees^2), spherical harmonics whose products are p_l; 0 at places without an edge.
        n_updated, halo: as in ``System``; edges that ghosts receive are here, but for those that are on other ranks alone.
    """

    slot: Tensor
    directions: Tensor
    n_updated: int
    halo: int


class AngularSums(nn.Module):
    """Sums over all other edges of the same atom of functions of the angle.

    Args:
        n_degrees: number of degrees l = 0, 1, ...
    """

    def __init__(self, n_degrees: int) -> None:
        super().__init__()
        self.n_degrees = n_degrees
        self.harmonics = SphericalHarmonics(n_degrees - 1)
        self.at_zero = [math.sqrt((2 * degree + 1) / (4 * math.pi)) for degree in range(n_degrees)]

    def neighborhoods(self, unit: Tensor, receiver: Tensor, system: System) -> Neighborhoods:
        """Return the places of edges with directions ``unit`` (n_edges, 3), away from their receivers (n_edges,)."""
        n_all = system.species.shape[0]
        counts = torch.zeros_like(system.species).index_add(0, receiver, torch.ones_like(receiver))
        n_places = int(counts.max()) if n_all > 0 else 0
        order = torch.argsort(receiver, stable=True)
        start = (torch.cumsum(counts, 0) - counts).index_select(0, receiver.index_select(0, order))
        place = torch.arange(order.shape[0], device=order.device) - start
        slot = receiver * n_places + torch.zeros_like(order).index_copy(0, order, place)
        y = self.harmonics(unit)
        scaled = [y[:, k * k : (k + 1) * (k + 1)] * self.at_zero[k] ** -0.5 for k in range(self.n_degrees)]
        return Neighborhoods(
            slot, _placed(torch.cat(scaled, dim=1), slot, n_all, n_places), system.n_updated, system.halo
        )

    def mixed(self, weights: Tensor, around: Neighborhoods) -> Tensor:
        """Return ``sum_l sum_f p_l(cos(e, f)) w_f[l]``, (n_edges, channels), from weights (n_edges, n_degrees, channels).

        Exchanges n_degrees^2 * channels numbers for each atom.
        """
        y = around.directions
        placed = _placed(weights.flatten(1), around.slot, y.shape[0], y.shape[1]).unflatten(2, weights.shape[1:])
        parts = [
            torch.bmm(y[:, :, k * k : (k + 1) * (k + 1)].transpose(1, 2), placed[:, :, k])
            for k in range(self.n_degrees)
        ]
        sums = torch.bmm(y, _shared(torch.cat(parts, dim=1), around)).flatten(0, 1).index_select(0, around.slot)
        for k in range(self.n_degrees):
            sums = sums - self.at_zero[k] * weights[:, k]
        return sums

    def resolved(self, weights: Tensor, around: Neighborhoods) -> Tensor:
        """Return ``sum_f p_l(cos(e, f)) w_f``, (n_edges, n_degrees, channels), from weights (n_edges, channels).

        Exchanges n_degrees^2 * channels numbers for each atom.
        """
        y = around.directions
        placed = _placed(weights, around.slot, y.shape[0], y.shape[1])
        atoms = _shared(torch.bmm(y.transpose(1, 2), placed), around)
        parts = [
            torch.bmm(y[:, :, k * k : (k + 1) * (k + 1)], atoms[:, k * k : (k + 1) * (k + 1)])
            .flatten(0, 1)
            .index_select(0, around.slot)
            - self.at_zero[k] * weights
            for k in range(self.n_degrees)
        ]
        return torch.stack(parts, dim=1)


def _placed(edges: Tensor, slot: Tensor, n_all: int, n_places: int) -> Tensor:
    """Return rows of edges (n_edges, width) at their places, (n_all, n_places, width), and 0 elsewhere."""
    width = edges.shape[1]
    return edges.new_zeros([n_all * n_places, width]).index_copy(0, slot, edges).reshape(n_all, n_places, width)


def _shared(atoms: Tensor, around: Neighborhoods) -> Tensor:
    """Return what was summed on the updated atoms, (n_all, n_degrees^2, channels), for ghosts from their owners."""
    if around.halo == 0:
        return atoms
    rows = exchange(atoms[: around.n_updated].flatten(1), atoms.shape[0], around.halo)
    return rows.reshape(atoms.shape)
