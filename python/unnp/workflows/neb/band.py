"""A band of images on its way to the path of lowest energy.

G. Henkelman, H. Jonsson, J. Chem. Phys. 113, 9978 (2000), improved tangents; G. Henkelman, B. P. Uberuaga, H. Jonsson,
J. Chem. Phys. 113, 9901 (2000), the climbing image.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.mep import NEB

from unnp.errors import ModelError
from unnp.workflows.neb.config import NebConfig
from unnp.workflows.neb.path import is_free
from unnp.workflows.relaxation.minimise import FAILURES, minimise, reason

BEFORE_CLIMBING = 5
"""The highest image climbs once no force is above this multiple of the limit."""


@dataclass
class Band:
    """Images, the ends included, where they stand and how they came there.

    Attributes:
        images: without calculators.
        barriers: [eV], the highest image above the first, at the start and after each step.
        forces: the largest force at the same moments [eV/A], as ``NebConfig.max_force`` counts it.
        climbing: whether the highest image climbs.
        at_rest: whether no force is above the limit.
        problem: why it ended before; empty: it did not.
        energies: (n_images,) [eV] where it stands; None: not known.
        atomic_forces: (n_images, n_atoms, 3) [eV/A] of the potential there, 0 at the ends; None: not known.
        doubts: what is to be said of the states that it began with.
    """

    images: list[Atoms]
    barriers: list[float] = field(default_factory=list)
    forces: list[float] = field(default_factory=list)
    climbing: bool = False
    at_rest: bool = False
    problem: str = ""
    energies: np.ndarray | None = None
    atomic_forces: np.ndarray | None = None
    doubts: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, images: Sequence[Atoms], entry: Mapping[str, Any] | None = None) -> Band:
        """Return a band that begins, or stands where an ``entry`` says."""
        band = cls([atoms.copy() for atoms in images])
        if entry is not None:
            for atoms, positions in zip(band.images, entry["positions"], strict=True):
                atoms.set_positions(positions, apply_constraint=False)
            for name in ("barriers", "forces", "climbing", "at_rest"):
                setattr(band, name, entry[name])
            band.energies, band.atomic_forces = np.array(entry["energies"]), np.array(entry["atomic_forces"])
        return band

    def entry(self) -> dict[str, Any]:
        """Return where a band that has begun stands and how it came there, as JSON."""
        assert self.energies is not None
        assert self.atomic_forces is not None
        return {
            "positions": [atoms.positions.tolist() for atoms in self.images],
            "energies": self.energies.tolist(),
            "atomic_forces": self.atomic_forces.tolist(),
            **{name: getattr(self, name) for name in ("barriers", "forces", "climbing", "at_rest")},
        }

    @property
    def steps(self) -> int:
        """How many steps have been taken."""
        return max(0, len(self.barriers) - 1)

    def is_over(self, settings: NebConfig) -> bool:
        """Tell whether nothing is left to do."""
        return self.at_rest or (bool(self.barriers) and self.steps >= settings.max_steps)


class Remembering(Calculator):
    """Energy and forces of a calculator that several images share; each image remembers its own.

    Args:
        calculator: what computes.
    """

    implemented_properties = ["energy", "forces"]  # noqa: RUF012 - ASE declares it so

    def __init__(self, calculator: Calculator) -> None:
        super().__init__()
        self._calculator = calculator

    def calculate(
        self, atoms: Atoms | None = None, properties: Sequence[str] = ("energy",), system_changes: Any = all_changes
    ) -> None:
        """Fill ``results``."""
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None
        copy = self.atoms.copy()
        copy.calc = self._calculator
        forces = copy.get_forces(apply_constraint=False)
        self.results = {"energy": float(copy.get_potential_energy()), "forces": forces.copy()}


def search(band: Band, calculator: Calculator, settings: NebConfig, keep: Callable[[], object] = lambda: None) -> None:
    """Take a band further: to the path of lowest energy, to its last step, or to what goes wrong, which it then says.

    Args:
        band: begun, or as it was kept; it is changed.
        calculator: with energies and forces.
        settings: springs, limits, climbing.
        keep: called after each step.
    """
    for atoms in band.images:
        atoms.calc = Remembering(calculator)
    try:
        if not band.climbing:
            band.at_rest = _move(band, settings, keep)
            band.climbing = settings.climb and band.forces[-1] < BEFORE_CLIMBING * settings.max_force
        if band.climbing:
            band.at_rest = _move(band, settings, keep)
    except FAILURES as error:
        band.problem = reason(error)
    for atoms in band.images:
        atoms.calc = None


def _move(band: Band, settings: NebConfig, keep: Callable[[], object]) -> bool:
    neb = NEB(
        band.images,
        k=settings.spring,
        climb=band.climbing,
        method="improvedtangent",
        remove_rotation_and_translation=is_free(band.images[0]),
    )
    goes_on = bool(band.barriers)

    def seen(force: float) -> bool:
        nonlocal goes_on
        if goes_on:  # the last that was seen is the first that is; but a climbing image has another force
            band.barriers.pop()
            band.forces.pop()
        goes_on = False
        _note(band, neb, force)
        keep()
        return settings.climb and not band.climbing and force < BEFORE_CLIMBING * settings.max_force

    return minimise(neb, settings, settings.max_steps - band.steps, seen)


def _note(band: Band, neb: NEB, force: float) -> None:
    band.energies, band.atomic_forces = np.array(neb.energies), np.array(neb.real_forces)
    if not np.isfinite(band.energies).all():
        raise ModelError("the energy of an image is not finite; begin with another path, or check the potential there.")
    band.barriers.append(float(band.energies.max() - band.energies[0]))
    band.forces.append(force)
