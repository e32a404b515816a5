"""What is far away does not matter, and parts add up to the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.testing.checking import CheckSkipped, Measurement, at_least, at_most, check, close
from unnp.testing.subject import Subject, size_of


def _supercell(structure: Structure, repeats: tuple[int, int, int]) -> Structure:
    """Return the cell repeated; image k of atom i is atom k * n_atoms + i."""
    shifts = np.array(list(np.ndindex(*repeats))) @ structure.cell
    positions = (shifts[:, None] + structure.positions).reshape(-1, 3)
    numbers = np.tile(structure.numbers, len(shifts))
    return replace(structure, numbers=numbers, positions=positions, cell=np.diag(repeats) @ structure.cell)


def _apart(a: Structure, b: Structure, distance: float) -> Structure:
    positions = np.concatenate([a.positions, b.positions + np.array([distance, 0, 0])])
    return Structure(np.concatenate([a.numbers, b.numbers]), positions)


def _skip_where_all_atoms_count(subject: Subject) -> None:
    if subject.potential.communication().sums:
        raise CheckSkipped("it sums over all atoms of a structure, however far they are.")


@check
def check_supercells(subject: Subject) -> Iterator[Measurement]:
    """A small cell is its supercell: energies are extensive, and own images are neighbours as all others are."""
    small = subject.crystal()
    one = subject.predict(small)
    size = size_of(one)
    for repeats in [(2, 1, 1), (2, 3, 2)]:
        n, many = int(np.prod(repeats)), subject.predict(_supercell(small, repeats))
        yield close(f"energy of {n} cells", many.energy, n * one.energy, 1e-11 * n * size)
        yield close(f"forces in {n} cells", many.forces, np.tile(np.asarray(one.forces), (n, 1)), 1e-10 * size)
        yield close(f"stress of {n} cells", many.stress, one.stress, 1e-11 * size)


@check
def check_one_atom_in_a_cell(subject: Subject) -> Iterator[Measurement]:
    """A single atom among its own images has a stress, and no force."""
    structure = subject.crystal()
    prediction = subject.predict(replace(structure, numbers=structure.numbers[:1], positions=structure.positions[:1]))
    yield close("energy", prediction.energy, prediction.atomic_energy, 0.0)
    yield at_least("largest stress", np.abs(np.asarray(prediction.stress)).max(), 1e-6)
    yield at_most("largest force", np.abs(np.asarray(prediction.forces)).max(), 1e-12)


@check
def check_lone_atoms(subject: Subject) -> Iterator[Measurement]:
    """An atom without bonds has its reference energy, to the last bit, and no force; alone and beside others."""
    for species, symbol in enumerate(subject.symbols):
        reference = float(subject.potential.reference_energies[0, species])
        alone = subject.predict(subject.atoms([[0.1, 0.2, 0.3]], [species]))
        yield close(f"energy of {symbol}", alone.energy, [reference], 0.0)
        yield at_most(f"force on {symbol}", np.abs(np.asarray(alone.forces)).max(), 0.0)
        far = _apart(subject.cluster(), subject.atoms([[0, 0, 0]], [species]), 10 * subject.cutoff)
        beside = subject.predict(far)
        yield close(f"energy of {symbol} beside others", beside.atomic_energy[-1], reference, 0.0)
        yield at_most(f"force on {symbol} beside others", np.abs(np.asarray(beside.forces)[-1]).max(), 0.0)


@check
def check_separation(subject: Subject) -> Iterator[Measurement]:
    """Energies of clusters that are far apart add up; those of clusters near each other do not."""
    _skip_where_all_atoms_count(subject)
    a, b = subject.cluster(), subject.atoms([[0, 0, 0], [0.5, 0.3, 0.1], [0.2, -0.4, 0.3]], [1, 1, 0])
    both = subject.energy(_apart(a, b, 4 * subject.cutoff))
    yield close("sum of energies", both, subject.energy(a) + subject.energy(b), 1e-11)
    near = subject.energy(_apart(a, b, 1.2 * subject.cutoff))
    yield at_least("change of energy where they meet", abs(near - both), 1e-6)


@check
def check_longer_bonds(subject: Subject) -> Iterator[Measurement]:
    """Bonds longer than the cutoff, which another summand may have asked for, do not count."""
    structure = subject.crystal()
    exact, longer = subject.graph(structure), subject.graph(structure, 1.4 * subject.cutoff)
    a, b = subject.predict(exact), subject.predict(longer)
    yield at_least("number of longer bonds", longer.n_bonds - exact.n_bonds, 1)
    yield close("energies", b.atomic_energy, a.atomic_energy, 1e-12 * size_of(a))
    yield close("forces", b.forces, a.forces, 1e-11 * size_of(a))


@check
def check_receptive_field(subject: Subject) -> Iterator[Measurement]:
    """The energy of an atom does not change when all atoms beyond the receptive field are removed."""
    _skip_where_all_atoms_count(subject)
    structure = _supercell(subject.crystal(), (3, 3, 3))
    cluster = Structure(structure.numbers, structure.positions)
    centre = len(cluster) // 2 - 2
    distance = np.linalg.norm(cluster.positions - cluster.positions[centre], axis=1)
    near = distance <= subject.potential.receptive_field()
    field = Structure(cluster.numbers[near], cluster.positions[near])
    whole = subject.predict(cluster, derivatives=False).atomic_energy[centre]
    part = subject.predict(field, derivatives=False).atomic_energy[int(near[:centre].sum())]
    yield close("energy of the atom in the middle", part, whole, 1e-12)


@check
def check_batches(subject: Subject) -> Iterator[Measurement]:
    """Structures give the same in one batch, also empty ones and single atoms, as one by one."""
    structures = [
        subject.crystal(),
        subject.atoms([[0, 0, 0]], [1]),
        subject.cluster(),
        subject.atoms([[0, 0, 0], [0.6, 0, 0]], [0, 1]),
        subject.atoms([], []),
        subject.crystal(seed=3),
    ]
    batch = subject.predict(Graph.batch([subject.graph(s) for s in structures]), atomic_virial=True)
    singles = [subject.predict(s, atomic_virial=True) for s in structures]
    for name in ("energy", "atomic_energy", "forces", "stress", "atomic_virial"):
        expected = torch.cat([getattr(single, name) for single in singles])
        yield close(name.replace("_", " "), getattr(batch, name), expected, 1e-11 * size_of(batch))


@check
def check_ghosts(subject: Subject) -> Iterator[Measurement]:
    """A rank that sees the neighbours of its atoms as ghosts gets the energies of its atoms right."""
    if subject.potential.halo() != "local" or subject.potential.communication().sums:
        raise CheckSkipped("its ranks communicate: ghosts are tried in LAMMPS.")
    graph = subject.graph(subject.cluster())
    whole = subject.potential(*graph.arguments).detach()
    for n_owned in range(graph.n_atoms):
        listed = (graph.bond_index < n_owned).any(0)
        index, vector = graph.bond_index[:, listed], graph.bond_vector[listed]
        flip = index[0] >= n_owned
        index, vector = torch.where(flip, index.flip(0), index), torch.where(flip.unsqueeze(1), -vector, vector)
        part = subject.potential(graph.species, index, vector, graph.atom_graph, graph.head, n_owned, 0).detach()
        yield close(f"energies of {n_owned} atoms", part, whole[:n_owned], 1e-12 * float(whole.abs().max()))
