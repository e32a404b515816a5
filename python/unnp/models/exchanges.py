"""What a potential communicates between ranks, measured by running it."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from unnp.core import core
from unnp.errors import ModelError


class Communication(NamedTuple):
    """What ranks say to each other, in order.

    Attributes:
        exchanges: numbers per atom of each exchange with neighbours.
        sums: numbers of each sum over all atoms.
    """

    exchanges: list[int]
    sums: list[int]


def communication(potential: nn.Module, length: float, like: Tensor) -> Communication:
    """Return what a potential communicates; nothing for a local one.

    Args:
        potential: with the arguments of :class:`unnp.models.Potential`.
        length: length [A] at which every summand sees a bond.
        like: any tensor of the number type and on the device of the bond vectors.

    Raises:
        ModelError: ranks with other atoms would communicate something else, and wait for each other for ever.
    """
    bonded, alone, empty = (_recorded(potential, n, like.new_full([m, 3], length / 3**0.5)) for n, m in _PROBES)
    _check_alike("exchanges", "exchange", bonded.exchanges, alone.exchanges, empty.exchanges)
    _check_alike("sums", "sum_by_graph", bonded.sums, alone.sums, empty.sums)
    return bonded


def _check_alike(verb: str, function: str, bonded: list[int], alone: list[int], empty: list[int]) -> None:
    if not bonded == alone == empty:
        raise ModelError(
            f"a rank with bonds {verb} {bonded} numbers per atom, one without bonds {alone}, one without atoms {empty}: "
            f"every rank has to call `{function}` equally often, with rows of one width, whatever it owns."
        )


_PROBES = [(2, 1), (2, 0), (0, 0)]
"""Numbers of atoms and bonds of the structures that are tried."""


def _recorded(potential: nn.Module, n_atoms: int, bond_vector: Tensor) -> Communication:
    device = bond_vector.device
    species = torch.zeros(n_atoms, dtype=torch.int64, device=device)
    bond_index = torch.tensor([[0], [1]], device=device)[:, : len(bond_vector)]

    def run(halo: int) -> None:
        with torch.no_grad():
            potential(species, bond_index, bond_vector, species, species.new_zeros(1), n_atoms, halo)

    return Communication(*core().recorded_widths(n_atoms, run))
