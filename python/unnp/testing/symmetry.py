"""The energy knows neither the frame of reference nor the order of atoms and bonds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.testing.checking import Measurement, at_least, check, close
from unnp.testing.subject import Subject, size_of


def _rotation(x: float, y: float, z: float) -> np.ndarray:
    """Return the matrix of a rotation about (x, y, z) by its length."""
    generator = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)
    return np.asarray(torch.linalg.matrix_exp(generator))


MATRICES = {
    "rotation": _rotation(0.7, -1.1, 0.4),
    "reflection": np.diag([1.0, 1.0, -1.0]),
    "inversion": -np.eye(3),
    "rotoreflection": _rotation(-0.3, 0.2, 2.4) @ np.diag([-1.0, 1.0, 1.0]),
}


@check
def check_rotations_and_reflections(subject: Subject) -> Iterator[Measurement]:
    """Energies do not change with the orientation of the crystal; forces and stress turn with it."""
    structure = subject.crystal()
    before = subject.predict(structure)
    forces, stress = np.asarray(before.forces), np.asarray(before.stress)[0]
    yield at_least("largest force", np.abs(forces).max(), 1e-3)
    for name, matrix in MATRICES.items():
        turned = replace(structure, positions=structure.positions @ matrix.T, cell=structure.cell @ matrix.T)
        after, allowed = subject.predict(turned), 1e-11 * size_of(before)
        yield close(f"energies after a {name}", after.atomic_energy, before.atomic_energy, 1e-11)
        yield close(f"forces after a {name}", after.forces, forces @ matrix.T, allowed)
        yield close(f"stress after a {name}", np.asarray(after.stress)[0], matrix @ stress @ matrix.T, allowed)


def _same(subject: Subject, a: Structure, b: Structure, how: str) -> Iterator[Measurement]:
    before, after = subject.predict(a), subject.predict(b)
    yield close(f"energies {how}", after.atomic_energy, before.atomic_energy, 1e-11)
    yield close(f"forces {how}", after.forces, before.forces, 1e-10)
    yield close(f"stress {how}", after.stress, before.stress, 1e-11)


@check
def check_translation(subject: Subject) -> Iterator[Measurement]:
    """A shift of all atoms changes nothing."""
    structure = subject.crystal()
    shifted = replace(structure, positions=structure.positions + np.array([0.37, -5.1, 11.3]))
    yield from _same(subject, structure, shifted, "after a shift")


@check
def check_periodic_images(subject: Subject) -> Iterator[Measurement]:
    """Other images of atoms, and another cell of the same lattice, change nothing."""
    structure = subject.crystal()
    shifts = np.array([[1, 0, 0], [0, -2, 0], [0, 0, 1], [-1, 3, 0]])
    moved = replace(structure, positions=structure.positions + shifts @ structure.cell)
    yield from _same(subject, structure, moved, "in other images")
    cell = np.array([[1, 1, 0], [0, 1, -1], [0, 0, 1]]) @ structure.cell
    yield from _same(subject, structure, replace(structure, cell=cell), "in another cell")


@check
def check_permutation(subject: Subject) -> Iterator[Measurement]:
    """Energies and forces go with the atoms when these are given in another order."""
    structure, order = subject.cluster(), np.array([3, 0, 4, 2, 1])
    permuted = replace(structure, numbers=structure.numbers[order], positions=structure.positions[order])
    before, after = subject.predict(structure), subject.predict(permuted)
    yield close("energies", after.atomic_energy, before.atomic_energy[order], 1e-12)
    yield close("forces", after.forces, np.asarray(before.forces)[order], 1e-11)


@check
def check_elements(subject: Subject) -> Iterator[Measurement]:
    """Elements are told apart, not by their reference energies alone."""
    structure = subject.cluster()
    swapped = replace(structure, numbers=subject.numbers.sum() - structure.numbers)
    change = (_bound(subject, swapped) - _bound(subject, structure)).abs()
    yield at_least("smallest change of an energy when elements are exchanged", change.min(), 1e-3)


def _bound(subject: Subject, structure: Structure) -> torch.Tensor:
    """Return energies of atoms less those of lone ones."""
    references = torch.tensor([subject.reference_energies[symbol] for symbol in subject.symbols], dtype=torch.float64)
    graph = subject.graph(structure)
    return subject.predict(graph, derivatives=False).atomic_energy - references[graph.species]


@check
def check_order_of_bonds(subject: Subject) -> Iterator[Measurement]:
    """Bonds have no order, and of (i, j, r) and (j, i, -r) either may be listed."""
    for kind, structure in subject.structures().items():
        graph = subject.graph(structure)
        order = torch.from_numpy(np.random.default_rng(1).permutation(graph.n_bonds))
        swap = torch.arange(graph.n_bonds) % 2 == 0
        index, vector = graph.bond_index[:, order], graph.bond_vector[order]
        index = torch.where(swap, index.flip(0), index)
        vector = torch.where(swap.unsqueeze(1), -vector, vector)
        other = Graph(graph.species, index, vector, graph.atom_graph, graph.volume)
        before, after = subject.predict(graph, atomic_virial=True), subject.predict(other, atomic_virial=True)
        size = size_of(before)
        yield close(f"energies in the {kind}", after.atomic_energy, before.atomic_energy, 1e-12 * size)
        yield close(f"forces in the {kind}", after.forces, before.forces, 1e-11 * size)
        yield close(f"virials in the {kind}", after.atomic_virial, before.atomic_virial, 1e-11 * size)
