"""What a potential exchanges between ranks, measured by running it."""

import torch
from torch import Tensor, nn

from unnp.core import core
from unnp.errors import ModelError


def exchange_widths(potential: nn.Module, length: float, like: Tensor) -> list[int]:
    """Return the numbers per atom of each exchange that a potential makes, in order; empty for a local one.

    Args:
        potential: with the arguments of :class:`unnp.models.Potential`.
        length: of a bond [A] that every summand sees.
        like: any tensor of the number type and on the device of the bond vectors.

    Raises:
        ModelError: ranks with other atoms would exchange something else, and wait for each other for ever.
    """
    bonded, alone, empty = (_recorded(potential, n, like.new_full([m, 3], length / 3**0.5)) for n, m in _PROBES)
    if not bonded == alone == empty:
        raise ModelError(
            f"a rank with bonds exchanges {bonded} numbers per atom, one without bonds {alone}, one without atoms {empty}: "
            "every rank has to call `exchange` equally often, with rows of one width, whatever it owns."
        )
    return bonded


_PROBES = [(2, 1), (2, 0), (0, 0)]
"""numbers of atoms and bonds"""


def _recorded(potential: nn.Module, n_atoms: int, bond_vector: Tensor) -> list[int]:
    device = bond_vector.device
    species = torch.zeros(n_atoms, dtype=torch.int64, device=device)
    bond_index = torch.tensor([[0], [1]], device=device)[:, : len(bond_vector)]

    def run(halo: int) -> None:
        with torch.no_grad():
            potential(species, bond_index, bond_vector, species, species.new_zeros(1), n_atoms, halo)

    return list(core().recorded_widths(n_atoms, run))
