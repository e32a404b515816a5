"""A band of images on its way to the path of lowest energy.

G. Henkelman, H. Jonsson, J. Chem. Phys. 113, 9978 (2000), improved tangents; G. Henkelman, B. P. Uberuaga, H. Jonsson,
J. Chem. Phys. 113, 9901 (2000), the climbing image.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
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
        parts: bands that it is made of, from one minimum on it to the next, see ``joined``; empty: it is one.
        no_states: images in minima that have relaxed to another state of the path.
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
    parts: list[Band] = field(default_factory=list)
    no_states: list[int] = field(default_factory=list)

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
        """How many steps have been taken, those of its parts not among them."""
        return max(0, len(self.barriers) - 1)

    @property
    def force(self) -> float:
        """The largest force where it stands [eV/A]."""
        return max(part.force for part in self.parts) if self.parts else self.forces[-1]

    @property
    def joints(self) -> list[int]:
        """The images at which its parts meet, from the first to the last; empty: it has none."""
        return list(accumulate((len(part.images) - 1 for part in self.parts), initial=0)) if self.parts else []

    def is_over(self, settings: NebConfig) -> bool:
        """Tell whether nothing is left to do."""
        return self.at_rest or (bool(self.barriers) and self.steps >= settings.max_steps)


def joined(whole: Band, parts: Sequence[Band]) -> Band:
    """Return the band that parts make, each of which begins where the one before ends; ``whole`` is what it was before.

    Parts that are made of parts are taken apart, so that no part has any; what was to be said of these before is left out. How
    ``whole`` came where it stood is kept.
    """
    leaves = [leaf for part in parts for leaf in (part.parts or [part])]
    first, *others = leaves
    begins = accumulate((len(leaf.images) - 1 for leaf in leaves), initial=0)
    return Band(
        [*first.images, *(image for leaf in others for image in leaf.images[1:])],
        whole.barriers,
        whole.forces,
        all(leaf.climbing for leaf in leaves),
        all(leaf.at_rest for leaf in leaves),
        energies=_along([leaf.energies for leaf in leaves]),
        atomic_forces=_along([leaf.atomic_forces for leaf in leaves]),
        doubts=[*whole.doubts, *_of_parts(leaves, whole.doubts)],
        parts=leaves,
        no_states=[begin + k for begin, leaf in zip(begins, leaves, strict=False) for k in leaf.no_states],
    )


def _of_parts(parts: Sequence[Band], told: Sequence[str]) -> list[str]:
    """Return the doubts of parts, with their numbers, but for those that are told of the whole already."""
    return [
        f"! part {k}: {doubt.removeprefix('! ')}"
        for k, part in enumerate(parts, 1)
        for doubt in part.doubts
        if doubt not in told
    ]


def _along(arrays: Sequence[np.ndarray | None]) -> np.ndarray:
    """Return what parts know of their images as one array; the first image of a part is the last of the one before."""
    known = [each for each in arrays if each is not None]
    assert len(known) == len(arrays)
    return np.concatenate([known[0], *(each[1:] for each in known[1:])])


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
