"""What is far away does not matter, and parts add up to the whole."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure


def supercell(structure: Structure, repeats: tuple[int, int, int]) -> Structure:
    """Return the cell repeated; image k of atom i is atom k * n_atoms + i."""
    shifts = np.array(list(np.ndindex(*repeats))) @ structure.cell
    positions = (shifts[:, None] + structure.positions).reshape(-1, 3)
    numbers = np.tile(structure.numbers, len(shifts))
    return replace(structure, numbers=numbers, positions=positions, cell=np.diag(repeats) @ structure.cell)


def apart(a: Structure, b: Structure, distance: float) -> Structure:
    positions = np.concatenate([a.positions, b.positions + np.array([distance, 0, 0])])
    return Structure(np.concatenate([a.numbers, b.numbers]), positions)


@pytest.mark.parametrize("repeats", [(2, 1, 1), (2, 3, 2)])
def test_small_cell_is_its_supercell(model, repeats):
    """Extensive; and atoms bonded to their own images are treated as in a cell longer than twice the cutoff."""
    small = model.crystal()
    n = int(np.prod(repeats))
    one, many = model.predict(small), model.predict(supercell(small, repeats))
    size = max(one.forces.abs().max().item(), 1.0)
    assert many.energy.item() == pytest.approx(n * one.energy.item(), abs=1e-11 * n * size)
    np.testing.assert_allclose(many.forces, one.forces.repeat(n, 1), atol=1e-10 * size)
    np.testing.assert_allclose(many.stress, one.stress, atol=1e-11 * size)


def test_one_atom_in_a_cell_has_no_force(model):
    structure = model.crystal()
    one = replace(structure, numbers=structure.numbers[:1], positions=structure.positions[:1])
    prediction = model.predict(one)
    assert (prediction.energy - prediction.atomic_energy).item() == 0
    assert prediction.stress.abs().max() > 1e-6
    assert prediction.forces.abs().max() < 1e-12


@pytest.mark.parametrize("species", [0, 1])
def test_isolated_atom_has_its_reference_energy(model, species):
    reference = model.potential.reference_energies[0, species].item()
    prediction = model.predict(model.atoms([[0.1, 0.2, 0.3]], [species]))
    assert prediction.energy.item() == reference
    assert prediction.forces.abs().max() == 0
    far = model.predict(apart(model.cluster(), model.atoms([[0, 0, 0]], [species]), 10 * model.cutoff))
    assert far.atomic_energy[-1].item() == reference
    assert far.forces[-1].abs().max() == 0


def test_far_apart_energies_add(model):
    a, b = model.cluster(), model.atoms([[0, 0, 0], [0.5, 0.3, 0.1], [0.2, -0.4, 0.3]], [1, 1, 0])
    both = model.predict(apart(a, b, 4 * model.cutoff))
    assert both.energy.item() == pytest.approx(model.energy(a) + model.energy(b), abs=1e-11)
    near = model.energy(apart(a, b, 1.2 * model.cutoff))
    assert abs(near - both.energy.item()) > 1e-6


def test_longer_bonds_are_ignored(model):
    structure = model.crystal()
    exact, longer = model.graph(structure), model.graph(structure, 1.4 * model.cutoff)
    assert longer.n_bonds > exact.n_bonds
    a, b = model.predict(exact), model.predict(longer)
    size = max(a.forces.abs().max().item(), 1.0)
    np.testing.assert_allclose(b.atomic_energy, a.atomic_energy, atol=1e-12 * size)
    np.testing.assert_allclose(b.forces, a.forces, atol=1e-11 * size)


def test_receptive_field(model):
    """The energy of an atom does not change when all atoms farther away than the receptive field are removed."""
    structure = supercell(model.crystal(), (3, 3, 3))
    cluster = Structure(structure.numbers, structure.positions)
    centre = len(cluster) // 2 - 2
    distance = np.linalg.norm(cluster.positions - cluster.positions[centre], axis=1)
    near = distance <= model.potential.receptive_field()
    field = Structure(cluster.numbers[near], cluster.positions[near])
    whole = model.predict(cluster, derivatives=False).atomic_energy[centre].item()
    part = model.predict(field, derivatives=False).atomic_energy[int(near[:centre].sum())].item()
    assert part == pytest.approx(whole, abs=1e-12)


def test_batch_is_the_single_structures(model):
    structures = [
        model.crystal(),
        model.atoms([[0, 0, 0]], [1]),
        model.cluster(),
        model.atoms([[0, 0, 0], [0.6, 0, 0]], [0, 1]),
        model.atoms([], []),
        model.crystal(seed=3),
    ]
    batch = model.predict(Graph.batch([model.graph(s) for s in structures]), atomic_virial=True)
    singles = [model.predict(s, atomic_virial=True) for s in structures]
    size = max(batch.forces.abs().max().item(), 1.0)
    for name in ("energy", "atomic_energy", "forces", "stress", "atomic_virial"):
        expected = torch.cat([getattr(s, name) for s in singles])
        np.testing.assert_allclose(getattr(batch, name), expected, atol=1e-11 * size, err_msg=name)


def test_owned_atoms_with_ghosts(model):
    """A rank that sees the receptive field of its atoms (halo "wide", or "local") gets their energies right."""
    cluster = model.cluster()
    graph = model.graph(cluster)
    whole = model.potential(*graph.arguments)
    if model.potential.halo() != "local":
        pytest.skip("owned atoms and ghosts of models with an exchange are tested in LAMMPS (tests/parity)")
    for n_owned in range(5):
        listed = (graph.bond_index < n_owned).any(0)
        index, vector = graph.bond_index[:, listed], graph.bond_vector[listed]
        flip = index[0] >= n_owned
        index, vector = torch.where(flip, index.flip(0), index), torch.where(flip.unsqueeze(1), -vector, vector)
        part = model.potential(graph.species, index, vector, graph.atom_graph, graph.head, n_owned, 0)
        np.testing.assert_allclose(part.detach(), whole[:n_owned].detach(), atol=1e-12 * whole.abs().max().item())
