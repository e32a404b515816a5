"""What has become of a crystal that was relaxed: itself, another one that has a name, or something between."""

from __future__ import annotations

from functools import cache

import numpy as np
from ase import Atoms

from unnp.workflows.crystals.bonds import fingerprint
from unnp.workflows.crystals.prototypes import PROTOTYPES, CrystalSpec, build

SAME_DISTANCES = 0.01
"""Crystals whose distances to 54 neighbours differ by less (root mean square, relative) are one: fcc and hcp differ by 0.04."""
STRAIN = 0.01
SHIFT = 0.02
"""A strain, and a shift of atoms relative to the cube root of their volume, that make another crystal of a prototype."""
VOLUME = 1.3
"""Factor on the volume, or its inverse, that a relaxation does not reach within one minimum of the energy."""


def what_became(spec: CrystalSpec, start: Atoms, relaxed: Atoms) -> str:
    """Return in words what a relaxed crystal is, where it is not what it was asked to be; empty where it is.

    Args:
        spec: what was asked for.
        start: the perfect crystal at about its equilibrium volume, before it was relaxed.
        relaxed: the same atoms, in the same order.
    """
    if not 1 / VOLUME < relaxed.get_volume() / start.get_volume() < VOLUME:
        volumes = (atoms.get_volume() / len(atoms) for atoms in (start, relaxed))
        return "it left its minimum, from {:.4g} to {:.4g} A^3/atom".format(*volumes)
    before, after = phase_of(start), phase_of(relaxed)
    own = spec.kind if spec.kind in _elemental() else before
    if after is not None and after != own:
        return f"it became {after}"
    if spec.prototype is not None and _is_distorted(start, relaxed, cubic=spec.prototype.c_over_a is None):
        return f"it is no longer {spec.kind}: its cell or its atoms are distorted"
    return ""


def phase_of(atoms: Atoms) -> str | None:
    """Return the prototype of one element, at its ideal c/a, on whose sites atoms lie, whatever they are; None: on none."""
    found = fingerprint(atoms)
    deviations = {name: float(np.sqrt(np.mean((found / own - 1) ** 2))) for name, own in _elemental().items()}
    nearest = min(deviations, key=deviations.__getitem__)
    return nearest if deviations[nearest] < SAME_DISTANCES else None


@cache
def _elemental() -> dict[str, np.ndarray]:
    # any element will do: distances are relative
    names = [name for name, prototype in PROTOTYPES.items() if prototype.n_elements == 1]
    return {name: fingerprint(build(CrystalSpec("Al", name), 2.0)) for name in names}


def _is_distorted(start: Atoms, relaxed: Atoms, *, cubic: bool) -> bool:
    """Tell whether a prototype has lost its symmetry: z is the axis of one that is not cubic, and may be stretched."""
    deformation = np.linalg.solve(start.cell.array, relaxed.cell.array)
    squares = deformation @ deformation.T
    squares /= np.linalg.det(squares) ** (1 / 3)
    a, c = np.trace(squares) / 3 if cubic else (squares[0, 0] + squares[1, 1]) / 2, squares[2, 2]
    strain = 0.5 * np.abs(squares - np.diag([a, a, a if cubic else c])).max()
    moved = relaxed.get_scaled_positions(wrap=False) - start.get_scaled_positions(wrap=False)
    moved -= moved.mean(axis=0)
    shift = np.abs(moved @ relaxed.cell.array).max() / (relaxed.get_volume() / len(relaxed)) ** (1 / 3)
    return bool(strain > STRAIN or shift > SHIFT)
