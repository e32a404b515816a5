"""Several potentials as one: the mean energy, and the members' energies for the deviation between them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from unnp.atoms.outputs import Output
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

    @torch.jit.export
    def features(
        self,
        species: Tensor,
        bond_index: Tensor,
        bond_vector: Tensor,
        graph: Tensor,
        head: Tensor,
        n_updated: int,
        halo: int,
    ) -> Tensor:
        """Return the features of all members side by side, (n_updated, n_members * n_features)."""
        features: list[Tensor] = []
        for potential in self.potentials:
            given = potential.features(species, bond_index, bond_vector, graph, head, n_updated, halo)  # type: ignore[operator]
            features.append(given)
        return torch.cat(features, dim=1)

    @torch.jit.export
    def outputs(
        self,
        species: Tensor,
        bond_index: Tensor,
        bond_vector: Tensor,
        graph: Tensor,
        head: Tensor,
        n_updated: int,
        halo: int,
    ) -> dict[str, Tensor]:
        """Return the means of what the members give, and the features side by side, by name."""
        given: list[dict[str, Tensor]] = []
        for potential in self.potentials:
            own = potential.outputs(species, bond_index, bond_vector, graph, head, n_updated, halo)  # type: ignore[operator]
            given.append(own)
        outputs: dict[str, Tensor] = {}
        for name in given[0]:
            values = [member[name] for member in given]
            if name == "features":
                outputs[name] = torch.cat(values, dim=1)
            else:
                outputs[name] = torch.stack(values).mean(0)
        return outputs

    def declared(self) -> list[Output]:
        """Return what ``outputs`` gives, in order."""
        n_members = len(self.potentials)
        return [
            output.model_copy(update={"shape": [n_members * output.shape[0]]}) if output.name == "features" else output
            for output in self.potentials[0].declared()  # type: ignore[operator]
        ]
