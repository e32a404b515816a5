"""Messages: products of what neighbours send with the harmonics of the bonds, weighted by the distance, and their sums.

Features are stored as (n, rows, channels): the rows are the components of the irreps, in order.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from unnp.models.architectures.nequip.config import NequIPConfig
from unnp.models.architectures.nequip.irreps import Irrep, irreps_of_layers, paths_between
from unnp.nn.blocks import BLOCK, neighbor_blocks
from unnp.nn.coupling import clebsch_gordan
from unnp.nn.cutoff import polynomial_cutoff
from unnp.nn.edges import directed, within
from unnp.nn.linear import SILU_GAIN, linear
from unnp.nn.norm import norm_of
from unnp.nn.spherical import SphericalHarmonics
from unnp.nn.system import System


class Geometry(NamedTuple):
    """What all layers need of the bonds, in blocks as of :class:`unnp.nn.blocks.Blocks`.

    Attributes:
        basis: (n_bonds, radial_functions), zero at the cutoff.
        couplings: for each triple of degrees (n_blocks, 2 l3 + 1, (2 l1 + 1) * BLOCK), harmonics times coefficients.
        sender: (n_blocks, BLOCK) int64, the atom that sends.
        bond: (n_blocks, BLOCK) int64, the row of the basis.
        atom: (n_blocks,) int64, the atom that receives.
    """

    basis: Tensor
    couplings: list[Tensor]
    sender: Tensor
    bond: Tensor
    atom: Tensor


def triples(config: NequIPConfig) -> list[tuple[int, int, int]]:
    """Return the degrees (l1 of the sender's tensor, l2 of the harmonics, l3 of the product) that the couplings are for."""
    found: set[tuple[int, int, int]] = set()
    for inputs, outputs in pairwise(irreps_of_layers(config.l_max, config.parity, config.layers)):
        paths = paths_between(inputs, config.l_max, outputs)
        found |= {(inputs[path.source].degree, path.degree, outputs[path.target].degree) for path in paths}
    return sorted(found)


class Coupling(nn.Module):
    """Harmonics of degree l2 as matrices that make tensors of degree l3 of those of degree l1."""

    coefficients: Tensor

    def __init__(self, l1: int, l2: int, l3: int) -> None:
        super().__init__()
        self.first, self.last, self.n_out = l2 * l2, (l2 + 1) ** 2, 2 * l3 + 1
        matrix = torch.from_numpy(clebsch_gordan(l1, l2, l3)).permute(2, 0, 1).flatten(0, 1)
        self.register_buffer("coefficients", matrix.to(torch.get_default_dtype()), persistent=False)

    def forward(self, harmonics: Tensor) -> Tensor:
        """Return (n_blocks, 2 l3 + 1, (2 l1 + 1) * BLOCK) from harmonics (n_blocks, (l_max + 1)^2, BLOCK)."""
        matrix = torch.matmul(self.coefficients, harmonics[:, self.first : self.last])
        return matrix.reshape(matrix.shape[0], self.n_out, matrix.shape[1] * matrix.shape[2] // self.n_out)


class Bonds(nn.Module):
    """From the list of bonds to what the layers need of it.

    ``basis_n = (cutoff / r) sin(w_n pi r / cutoff) f(r)``, w trained, 1, 2, ... at the start; f is the polynomial cutoff
    function.
    """

    def __init__(self, config: NequIPConfig) -> None:
        super().__init__()
        self.cutoff, self.exponent, self.block = config.cutoff, config.cutoff_exponent, BLOCK
        self.norm = norm_of(config.average_neighbors)
        self.frequencies = nn.Parameter(torch.arange(1, config.radial_functions + 1).to(torch.get_default_dtype()))
        self.harmonics = SphericalHarmonics(config.l_max, "component")
        self.couplings = nn.ModuleList(Coupling(*triple) for triple in triples(config))

    def forward(self, system: System) -> Geometry:
        bond_index, bond_vector = within(system.bond_index, system.bond_vector, self.cutoff)
        distance = torch.sqrt(bond_vector.square().sum(1))
        edges = directed(bond_index, bond_vector / distance.unsqueeze(1), system.n_updated)
        blocks = neighbor_blocks(edges.receiver, system.n_updated, self.block)
        harmonics = self.harmonics(edges.vector.index_select(0, blocks.edge))
        harmonics = harmonics * (self.norm * blocks.taken.to(harmonics.dtype).unsqueeze(1))
        harmonics = harmonics.reshape(-1, self.block, harmonics.shape[1]).transpose(1, 2).contiguous()
        couplings: list[Tensor] = []
        for coupling in self.couplings:
            couplings.append(coupling(harmonics))
        sender = edges.sender.index_select(0, blocks.edge).reshape(-1, self.block)
        bond = edges.bond.index_select(0, blocks.edge).reshape(-1, self.block)
        return Geometry(self.basis(distance), couplings, sender, bond, blocks.atom)

    def basis(self, distance: Tensor) -> Tensor:
        """Return (n_bonds, radial_functions) from distances (n_bonds,) [A]."""
        x = (distance / self.cutoff).unsqueeze(1)
        envelope = polynomial_cutoff(distance, self.cutoff, self.exponent).unsqueeze(1)
        return torch.sin(math.pi * self.frequencies * x) * (envelope / x)


class Messages(nn.Module):
    """``m_i = sum_j R_p(r_ij) (Y_l2(r_ij) x h_j)_l3 / sqrt(average_neighbors)`` for each path p = (l1, l2, l3) and channel.

    R is a network of the basis without biases, so that it is zero and smooth at the cutoff.

    Args:
        config: settings.
        inputs: irreps of the features that are sent.
        outputs: irreps of the messages.
    """

    def __init__(self, config: NequIPConfig, inputs: list[Irrep], outputs: list[Irrep]) -> None:
        super().__init__()
        paths, known = paths_between(inputs, config.l_max, outputs), triples(config)
        self.rows = [irrep.rows for irrep in inputs]
        self.sources = [path.source for path in paths]
        self.slots = [BLOCK * inputs[path.source].rows for path in paths]
        self.couplings = [
            known.index((inputs[path.source].degree, path.degree, outputs[path.target].degree)) for path in paths
        ]
        self.radial = radial_network(config, len(paths) * config.features)

    def forward(self, sent: Tensor, geometry: Geometry, n_updated: int) -> Tensor:
        """Return the sums (n_updated, rows of all paths, features), in the order of the paths.

        Args:
            sent: (n_all, rows, features), what atoms send.
            geometry: of the bonds.
            n_updated: number of updated atoms.
        """
        features = sent.shape[2]
        weight = self.radial(geometry.basis).reshape(-1, len(self.sources), features)
        weights = in_blocks(weight, geometry.bond).split(1, dim=1)
        parts = in_blocks(sent, geometry.sender).split(self.rows, dim=1)
        messages: list[Tensor] = []
        for k in range(len(self.sources)):
            weighted = (parts[self.sources[k]] * weights[k]).reshape(geometry.atom.shape[0], self.slots[k], features)
            messages.append(torch.bmm(geometry.couplings[self.couplings[k]], weighted))
        message = torch.cat(messages, dim=1)
        total = message.new_zeros([n_updated, message.shape[1] * features])
        return total.index_add(0, geometry.atom, message.flatten(1)).reshape(n_updated, message.shape[1], features)


def in_blocks(x: Tensor, index: Tensor) -> Tensor:
    """Return the rows of what stands at ``index``, (n_blocks, rows, BLOCK * channels).

    Args:
        x: (n, rows, channels).
        index: (n_blocks, BLOCK) int64.
    """
    n_blocks, rows = index.shape[0], x.shape[1]
    row = rows * index.unsqueeze(1) + torch.arange(rows, device=index.device).unsqueeze(1)
    return x.flatten(0, 1).index_select(0, row.flatten()).reshape(n_blocks, rows, index.shape[1] * x.shape[2])


def radial_network(config: NequIPConfig, n_out: int) -> nn.Sequential:
    """Return the network that makes weights of the radial basis; without biases zero stays zero."""
    widths = [config.radial_functions] + config.radial_layers * [config.radial_features]
    network = nn.Sequential()
    for k, (n_in, n_hidden) in enumerate(pairwise(widths)):
        network.append(linear(n_in, n_hidden, bias=False, gain=SILU_GAIN if k else 1.0))
        network.append(nn.SiLU())
    return network.append(linear(widths[-1], n_out, bias=False))
