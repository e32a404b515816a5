"""How far the members of a committee disagree."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unnp.atoms.graph import Graph
from unnp.exported.loader import LoadedPotential


@dataclass(frozen=True)
class Uncertain:
    """Energies and forces, and how far they are expected to be off.

    Attributes:
        energy: (n_graphs,) float64 [eV].
        forces: (n_atoms, 3) [eV/A].
        energy_deviation: (n_graphs,) float64, of the energies per atom [eV/atom].
        force_deviation: (n_atoms,) float64, of the length of the error of a force [eV/A], its root mean square.
    """

    energy: Tensor
    forces: Tensor
    energy_deviation: Tensor
    force_deviation: Tensor


def committee_deviation(potential: LoadedPotential, graph: Graph, *, calibrated: bool = True) -> Uncertain:
    """Return the mean of a committee and how far its members disagree.

    Args:
        potential: the committee; one of a single member agrees with itself.
        graph: one or several structures.
        calibrated: apply the factors of the manifest, where it has some.
    """
    energies, forces = potential.members(graph)
    return deviation_of(energies, forces, graph, potential if calibrated else None)


def deviation_of(energies: Tensor, forces: Tensor, graph: Graph, potential: LoadedPotential | None) -> Uncertain:
    """Return the mean and the deviation of members, ``sqrt(<|F_i - <F_i>|^2>)`` and ``sqrt(<(E - <E>)^2>) / n_atoms``.

    Args:
        energies: (n_members, n_graphs) [eV].
        forces: (n_members, n_atoms, 3) [eV/A].
        graph: that was evaluated.
        potential: whose calibration is applied; None: none is.
    """
    forces = forces.double()
    n_atoms = torch.bincount(graph.atom_graph, minlength=graph.n_graphs).clamp(min=1).to(energies.device)
    of_energy = energies.std(dim=0, correction=0) / n_atoms
    of_forces = (forces - forces.mean(0)).square().sum(2).mean(0).sqrt()
    if potential is not None:
        of_energy = of_energy * potential.manifest.deviation_scale("energy")
        of_forces = of_forces * potential.manifest.deviation_scale("forces")
    return Uncertain(energies.mean(0), forces.mean(0), of_energy, of_forces)
