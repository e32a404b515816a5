"""Forces and stress are derivatives of the energy, and the parts of the atoms add up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch

from unnp.atoms.structure import Structure
from unnp.testing.checking import Measurement, at_least, at_most, check, close, is_true
from unnp.testing.subject import Subject

STEP = 2e-4


def slope(f: Callable[[float], float]) -> float:
    """Return f'(0) by central differences of fourth order."""
    return (8 * (f(STEP) - f(-STEP)) - (f(2 * STEP) - f(-2 * STEP))) / (12 * STEP)


@check
def check_forces(subject: Subject) -> Iterator[Measurement]:
    """Forces are minus the derivative of the energy by the positions, by finite differences, and sum to zero."""
    for kind, structure in subject.structures().items():
        forces = np.asarray(subject.predict(structure).forces)
        size = np.abs(forces).max()
        yield at_least(f"largest force in the {kind}", size, 1e-3)
        expected = np.zeros_like(forces)
        for k in np.ndindex(forces.shape):
            expected[k] = -slope(lambda x, k=k, s=structure: subject.energy(_moved(s, k, x)))  # type: ignore[misc]
        yield close(f"forces in the {kind}", forces, expected, 1e-6 * size)
        yield at_most(f"sum of the forces in the {kind}", np.abs(forces.sum(0)).max(), 1e-12 * size * len(structure))


def _moved(structure: Structure, component: tuple[int, ...], distance: float) -> Structure:
    positions = structure.positions.copy()
    positions[component] += distance
    return replace(structure, positions=positions)


@check
def check_stress(subject: Subject) -> Iterator[Measurement]:
    """The stress is the derivative of the energy by the strain, by finite differences."""
    structure = subject.crystal()
    stress = np.asarray(subject.predict(structure).stress)[0]
    expected = np.zeros((3, 3))
    for a, b in np.ndindex(3, 3):
        strain = np.zeros((3, 3))
        strain[a, b] += 0.5
        strain[b, a] += 0.5
        expected[a, b] = slope(lambda x, e=strain: subject.energy(_strained(structure, x * e))) / structure.volume  # type: ignore[misc]
    yield at_least("largest stress", np.abs(stress).max(), 1e-4)
    yield close("stress", stress, expected, 1e-6 * np.abs(stress).max())


def _strained(structure: Structure, strain: np.ndarray) -> Structure:
    deformation = np.eye(3) + strain
    return replace(structure, positions=structure.positions @ deformation, cell=structure.cell @ deformation)


@check
def check_atomic_parts(subject: Subject) -> Iterator[Measurement]:
    """The atoms' energies and virials add up to energy and stress, and the virial is symmetric."""
    structure = subject.crystal()
    prediction = subject.predict(structure, atomic_virial=True)
    virial = np.asarray(prediction.atomic_virial).sum(0)
    yield close("symmetry of the virial", virial, virial.T, 1e-10)
    yield close("sum of virials", virial, -structure.volume * np.asarray(prediction.stress)[0], 1e-10)
    yield close("sum of energies", prediction.atomic_energy.sum(), prediction.energy.sum(), 1e-12)


@check
def check_energy_without_derivatives(subject: Subject) -> Iterator[Measurement]:
    """The energy is the same, to the last bit, where no forces are asked for, and no stress is where there is no volume."""
    full, bare = subject.predict(subject.crystal()), subject.predict(subject.crystal(), derivatives=False)
    yield is_true("no forces unless they are asked for", bare.forces is None and bare.stress is None)
    yield is_true("no graph of derivatives", not bare.energy.requires_grad)
    yield is_true("equal energies", torch.equal(bare.energy, full.energy))
    yield is_true("no stress without a volume", np.isnan(np.asarray(subject.predict(subject.cluster()).stress)).all())
