"""Forces and stress are derivatives of the energy, and the per-atom parts add up."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from unnp.atoms.structure import Structure

STEP = 2e-4


def slope(f: Callable[[float], float]) -> float:
    """Return f'(0) by central differences of fourth order."""
    return (8 * (f(STEP) - f(-STEP)) - (f(2 * STEP) - f(-2 * STEP))) / (12 * STEP)


def strained(structure: Structure, strain: np.ndarray) -> Structure:
    deformation = np.eye(3) + strain
    return replace(structure, positions=structure.positions @ deformation, cell=structure.cell @ deformation)


@pytest.mark.parametrize("kind", ["crystal", "cluster"])
def test_forces_are_the_derivative_of_the_energy(model, kind):
    structure = getattr(model, kind)()
    forces = model.predict(structure).forces.numpy()
    size = np.abs(forces).max()
    assert size > 1e-3
    expected = np.zeros_like(forces)
    for k in np.ndindex(forces.shape):
        unit = np.zeros_like(forces)
        unit[k] = 1
        expected[k] = -slope(lambda x, d=unit: model.energy(replace(structure, positions=structure.positions + x * d)))
    np.testing.assert_allclose(forces, expected, rtol=0, atol=1e-6 * size)
    np.testing.assert_allclose(forces.sum(0), 0, atol=1e-12 * size * len(structure))


def test_stress_is_the_derivative_by_strain(model):
    structure = model.crystal()
    stress = model.predict(structure).stress[0].numpy()
    expected = np.zeros((3, 3))
    for a, b in np.ndindex(3, 3):
        strain = np.zeros((3, 3))
        strain[a, b] += 0.5
        strain[b, a] += 0.5
        expected[a, b] = slope(lambda x, e=strain: model.energy(strained(structure, x * e))) / structure.volume
    assert np.abs(stress).max() > 1e-4
    np.testing.assert_allclose(stress, expected, rtol=0, atol=1e-6 * np.abs(stress).max())


def test_atomic_parts_add_up(model):
    structure = model.crystal()
    prediction = model.predict(structure, atomic_virial=True)
    virial = prediction.atomic_virial.sum(0)
    np.testing.assert_allclose(virial, virial.T, atol=1e-10)  # rotational invariance
    np.testing.assert_allclose(virial, -structure.volume * prediction.stress[0], atol=1e-10)
    assert prediction.atomic_energy.sum().item() == pytest.approx(prediction.energy.item(), abs=1e-12)


def test_without_derivatives_the_energy_is_the_same(model):
    full, bare = model.predict(model.crystal()), model.predict(model.crystal(), derivatives=False)
    assert bare.forces is None
    assert bare.stress is None
    assert not bare.energy.requires_grad
    assert torch.equal(bare.energy, full.energy)


def test_no_stress_where_the_structure_has_no_volume(model):
    assert model.predict(model.cluster()).stress.isnan().all()
