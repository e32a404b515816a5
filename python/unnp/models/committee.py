"""Several potentials as one: the mean energy, and the members' energies for the deviation between them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from unnp.models.potential import Potential


class Committee(nn.Module):
    """What is exported: one potential or several; the energy is the mean over the members."""

    def __init__(self, potentials: Sequence[Potential]) -> None:
        super().__init__()
        self.potentials = nn.ModuleList(potentials)

    def forward(
        self,
        species: Tensor,
        bond_index: Tensor,
        bond_vector: Tensor,
        graph: Tensor,
        head: Tensor,
        n_updated: int,
        halo: int,
    ) -> Tensor:
        """Return the mean energies (n_updated,) float64 [eV]; arguments as of :class:`Potential`."""
        energy = torch.zeros([n_updated], dtype=torch.float64, device=bond_vector.device)
        for potential in self.potentials:
            energy = energy + potential(species, bond_index, bond_vector, graph, head, n_updated, halo)
        return energy / len(self.potentials)

    @torch.jit.export
    def members(
        self,
        species: Tensor,
        bond_index: Tensor,
        bond_vector: Tensor,
        graph: Tensor,
        head: Tensor,
        n_updated: int,
        halo: int,
    ) -> Tensor:
        """Return the energies (n_members, n_updated) float64 [eV] of every member."""
        energies: list[Tensor] = []
        for potential in self.potentials:
            energies.append(potential(species, bond_index, bond_vector, graph, head, n_updated, halo))
        return torch.stack(energies)
