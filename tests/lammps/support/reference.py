"""What a model file gives in plain Python: a periodic half list of vesin, no ghosts, no halo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import ase
import numpy as np
import torch
from unnp.core import core
from vesin import NeighborList


@dataclass
class Reference:
    """Energy [eV], per-atom energies, forces [eV/A], virial (3, 3) [eV] and per-atom virials (n, 3, 3) [eV]."""

    energy: float
    atom_energy: np.ndarray
    forces: np.ndarray
    virial: np.ndarray
    atom_virial: np.ndarray


def evaluate(model: Path, atoms: ase.Atoms, elements: list[str], cutoff: float, member: int | None = None) -> Reference:
    """Evaluate an exported file on a structure, in float64 whatever the file's type."""
    core()
    torch.set_num_threads(1)  # as LAMMPS; with more, the first call of some functions of MKL is less exact
    module = torch.jit.load(str(model)).eval()
    for name, parameter in [*module.named_parameters(), *module.named_buffers()]:
        if "reference" not in name:
            parameter.data = parameter.data.double()
    i, j, vector = _bonds(atoms, cutoff)
    species = torch.tensor([elements.index(s) for s in atoms.get_chemical_symbols()])
    bond = torch.tensor(vector, requires_grad=True)
    graph, first = torch.zeros_like(species), torch.zeros(1, dtype=torch.int64)
    arguments = (species, torch.tensor(np.stack([i, j])), bond, graph, first, len(atoms), 0)
    energy = module(*arguments) if member is None else module.members(*arguments)[member]
    (g,) = torch.autograd.grad(energy.sum(), bond)
    gradient = g.numpy()
    forces = np.zeros((len(atoms), 3))
    np.add.at(forces, i, gradient)
    np.add.at(forces, j, -gradient)
    dyad = -vector[:, :, None] * gradient[:, None, :]
    atom_virial = np.zeros((len(atoms), 3, 3))
    np.add.at(atom_virial, i, dyad / 2)
    np.add.at(atom_virial, j, dyad / 2)
    return Reference(energy.sum().item(), energy.detach().numpy(), forces, dyad.sum(0), atom_virial)


def _bonds(atoms: ase.Atoms, cutoff: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return half-list pairs and vectors; vesin wants a box, so a direction without period gets a large one."""
    cell, positions = np.array(atoms.cell), atoms.positions
    for axis in np.flatnonzero(~atoms.pbc):
        cell[axis] = np.eye(3)[axis] * (np.ptp(positions[:, axis]) + 4 * cutoff)
    i, j, vector = NeighborList(cutoff=cutoff, full_list=False).compute(positions, cell, True, quantities="ijD")
    return i.astype(np.int64), j.astype(np.int64), vector
