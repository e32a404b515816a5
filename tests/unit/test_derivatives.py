"""Forces, stress and virials of potentials whose derivatives are known."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import predict, predict_members

ELEMENTS = Elements(["Al"])


class Springs(nn.Module):
    """``k/2 r^2`` for each bond, half to each atom, and an energy per atom."""

    def __init__(self, k: float = 3.0) -> None:
        super().__init__()
        self.k = nn.Parameter(torch.tensor(k, dtype=torch.float64))

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
        half = self.k / 4 * bond_vector.square().sum(1)
        energy = torch.full((len(species),), -1.5, dtype=bond_vector.dtype)
        return energy.index_add(0, bond_index[0], half).index_add(0, bond_index[1], half)[:n_updated]


def graph_of(positions, cell=None, cutoff: float = 1.5) -> Graph:
    positions = np.array(positions, dtype=float).reshape(-1, 3)
    structure = Structure(np.full(len(positions), 13), positions)
    if cell is not None:
        structure.cell, structure.pbc = np.array(cell, dtype=float), np.ones(3, dtype=bool)
    return Graph.of(structure, ELEMENTS, cutoff)


def test_a_dimer_of_a_spring():
    """Atoms pull each other: F = k r; the virial W = r . F is that of an attraction."""
    prediction = predict(Springs(), graph_of([[0, 0, 0], [0.5, 1.0, 0]]), atomic_virial=True)
    assert prediction.energy.tolist() == pytest.approx([1.5 * 1.25 - 3.0])
    assert prediction.atomic_energy.tolist() == pytest.approx([0.75 * 1.25 - 1.5] * 2)
    np.testing.assert_allclose(prediction.forces, [[1.5, 3.0, 0], [-1.5, -3.0, 0]], atol=1e-15)
    r = np.array([0.5, 1.0, 0])
    np.testing.assert_allclose(prediction.atomic_virial, [-1.5 * np.outer(r, r)] * 2, atol=1e-15)
    assert prediction.stress.isnan().all()


def test_stress_of_a_stretched_crystal_is_positive():
    """A simple cubic lattice of springs of length a: energy 3 k a^2 / 2 per cell, stress k / a."""
    prediction = predict(Springs(), graph_of([[0, 0, 0]], cell=1.2 * np.eye(3)), atomic_virial=True)
    np.testing.assert_allclose(prediction.stress[0], 3.0 * 1.2**2 / 1.2**3 * np.eye(3), atol=1e-13)
    np.testing.assert_allclose(prediction.atomic_virial[0], -(1.2**3) * prediction.stress[0], atol=1e-13)
    assert prediction.energy.item() == pytest.approx(1.5 * 3 * 1.2**2 - 1.5)


def test_derivatives_of_a_loss_on_forces_and_stress():
    springs = Springs()
    prediction = predict(springs, graph_of([[0, 0, 0]], cell=1.2 * np.eye(3)), training=True)
    (slope,) = torch.autograd.grad(prediction.stress.sum(), springs.k)
    assert slope.item() == pytest.approx(3 / 1.2)
    prediction = predict(springs, graph_of([[0, 0, 0], [1.0, 0, 0]]), training=True)
    (slope,) = torch.autograd.grad(prediction.forces[0, 0] + prediction.energy.sum(), springs.k)
    assert slope.item() == pytest.approx(1.0 + 0.5)


def test_gradients_stay_finite_where_one_structure_has_no_volume():
    springs = Springs()
    graph = Graph.batch([graph_of([[0, 0, 0], [1.0, 0, 0]]), graph_of([[0, 0, 0]], cell=1.2 * np.eye(3))])
    prediction = predict(springs, graph, training=True)
    assert prediction.stress.isnan().flatten(1).all(1).tolist() == [True, False]
    prediction.stress[1].sum().backward()
    assert torch.isfinite(springs.k.grad)


@pytest.mark.parametrize("grad_mode", [torch.enable_grad, torch.no_grad])
def test_nothing_is_kept_outside_of_training(grad_mode: Callable):
    graph = graph_of([[0, 0, 0], [1.0, 0, 0]])
    with grad_mode():
        prediction = predict(Springs(), graph, atomic_virial=True)
    tensors = [value for value in vars(prediction).values() if isinstance(value, torch.Tensor)]
    assert len(tensors) == 5
    assert not any(value.requires_grad for value in tensors)
    assert not graph.bond_vector.requires_grad
    np.testing.assert_allclose(prediction.forces[0], [3.0, 0, 0])


def test_no_atoms_and_no_bonds():
    nothing = predict(Springs(), graph_of([]))
    assert nothing.energy.tolist() == [0.0]
    assert nothing.forces.shape == (0, 3)
    alone = predict(Springs(), graph_of([[0, 0, 0]]), atomic_virial=True)
    assert alone.energy.tolist() == [-1.5]
    assert alone.forces.tolist() == [[0, 0, 0]]
    assert not alone.atomic_virial.any()


def test_float32_is_summed_in_float64():
    graph = graph_of([[0, 0, 0], [1.0, 0, 0]]).to("cpu", torch.float32)
    prediction = predict(Springs().float(), graph, atomic_virial=True)
    assert prediction.forces.dtype == torch.float32
    for name in ("energy", "atomic_energy", "stress", "atomic_virial"):
        assert getattr(prediction, name).dtype == torch.float64


def test_members_of_a_committee():
    first, second = Springs(1.0), Springs(5.0)
    graph = Graph.batch([graph_of([[0, 0, 0], [1.0, 0, 0]]), graph_of([[0, 0, 0]])])
    energy, forces = predict_members(lambda *x: torch.stack([first(*x), second(*x)]), graph)
    for k, member in enumerate((first, second)):
        expected = predict(member, graph)
        np.testing.assert_allclose(energy[k], expected.energy)
        np.testing.assert_allclose(forces[k], expected.forces)
    assert not energy.requires_grad
    assert not forces.requires_grad
