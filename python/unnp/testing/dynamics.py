"""Newton's equations with these forces conserve the energy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ase import Atoms, units
from ase.md.verlet import VelocityVerlet

from unnp.adapters.ase import UnnpCalculator
from unnp.testing.checking import Measurement, at_least, at_most, check
from unnp.testing.subject import Subject

DURATION = 20 * units.fs


def _energies(atoms: Atoms, time_step: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the total and the kinetic energy at each femtosecond."""
    found: list[tuple[float, float]] = []
    dynamics = VelocityVerlet(atoms, time_step)
    interval = round(units.fs / time_step)
    dynamics.attach(lambda: found.append((atoms.get_total_energy(), atoms.get_kinetic_energy())), interval=interval)
    dynamics.run(round(DURATION / time_step))
    total, kinetic = np.array(found).T
    return total, kinetic


@check
def check_conservation_of_energy(subject: Subject) -> Iterator[Measurement]:
    """The error of velocity Verlet is small and falls with the square of the time step, and with nothing else."""
    deviations = []
    for time_step in (units.fs / 3, units.fs / 6):
        atoms = subject.crystal().to_atoms() * (2, 1, 1)
        atoms.calc = UnnpCalculator(subject.exported, skin=0.5)
        masses = atoms.get_masses()[:, None]
        momenta = np.random.default_rng(2).normal(size=(len(atoms), 3)) * np.sqrt(units.kB * 600 * masses)
        atoms.set_momenta(momenta - momenta.mean(0))
        total, kinetic = _energies(atoms, time_step)
        yield at_least("change of the kinetic energy", np.ptp(kinetic), 0.1)
        deviations.append(np.abs(total - total[0]).max() / np.ptp(kinetic))
    yield at_most("change of the total energy over that of the kinetic one", deviations[0], 0.1)
    yield at_least("fall of the error with half the time step", deviations[0] / deviations[1], 3.0)
    yield at_most("fall of the error with half the time step", deviations[0] / deviations[1], 5.0)
