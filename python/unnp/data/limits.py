"""Sorting out frames that no atoms could be in, and those that are there twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from pydantic import PositiveFloat

from unnp.atoms.contacts import contacts
from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.data.distances import rms_displacement
from unnp.data.filters import within_limits
from unnp.data.splits import source_file
from unnp.errors import DataError

TOO_CLOSE, ISOLATED, DUPLICATE = "atoms too close", "an atom without neighbours", "the same as an earlier frame"
LARGE_FORCE, FAR_ENERGY = "a force too large", "energy far from that of its run"


class FrameLimits(Config):
    """Which frames are left out; null: no such limit."""

    shortest: PositiveFloat | None = 0.6
    """Shortest distance of two atoms, as a part of the sum of their covalent radii."""
    isolated: PositiveFloat | None = 1.6
    """Largest distance of an atom from its nearest neighbour, as a multiple of the sum of their covalent radii: atoms beyond it
    have evaporated."""
    duplicate: PositiveFloat | None = 0.02
    """Frames of the same atoms in the same cell that differ by less than this (root mean square) are the same [A]."""
    max_force: PositiveFloat | None = 50.0
    """Largest force on an atom [eV/A]."""
    energy_range: PositiveFloat | None = 5.0
    """Largest distance of the energy from the median of the run's frames with the same atoms [eV per atom]."""


def unphysical(structures: Sequence[Structure], limits: FrameLimits) -> dict[int, str]:
    """Return why structures are left out for where their atoms are, by index; labels are not looked at."""
    reasons: dict[int, str] = {}
    kept: dict[bytes, list[np.ndarray]] = defaultdict(list)
    for k, structure in enumerate(structures):
        reason = _misplaced(structure, limits) or _known(structure, limits.duplicate, kept)
        if reason:
            reasons[k] = reason
    return reasons


def mislabelled(structures: Sequence[Structure], limits: FrameLimits) -> dict[int, str]:
    """Return why labelled structures are left out for their forces and energies, by index."""
    energies: dict[tuple[str, bytes], list[float]] = defaultdict(list)
    for structure in structures:
        energies[_run(structure)].append(_energy(structure))
    reasons: dict[int, str] = {}
    for k, structure in enumerate(structures):
        median = np.median(energies[_run(structure)])
        if not within_limits(structure, limits.max_force, None):
            reasons[k] = LARGE_FORCE
        elif limits.energy_range is not None and abs(_energy(structure) - median) > limits.energy_range:
            reasons[k] = FAR_ENERGY
    return reasons


def _run(structure: Structure) -> tuple[str, bytes]:
    """Return what frames of one run share: their file, and their atoms."""
    return source_file(structure.source), np.sort(structure.numbers).tobytes()


def _energy(structure: Structure) -> float:
    if structure.energy is None:
        raise DataError(f"{structure.source} has no energy, so no limit can be put on it.")
    return structure.energy / len(structure)


def _misplaced(structure: Structure, limits: FrameLimits) -> str:
    """Return why the distances of atoms are wrong; empty where they are not."""
    longest = max(limits.shortest or 0.0, limits.isolated or 0.0)
    if longest == 0.0:
        return ""
    index, ratios = contacts(structure, longest)
    nearest = np.full(len(structure), np.inf)
    for ends in index:
        np.minimum.at(nearest, ends, ratios)
    if limits.shortest is not None and nearest.min() < limits.shortest:
        return TOO_CLOSE
    return ISOLATED if limits.isolated is not None and nearest.max() > limits.isolated else ""


def _known(structure: Structure, closest: float | None, kept: dict[bytes, list[np.ndarray]]) -> str:
    """Return whether the frame is one of those kept, as a reason; note it there where it is not."""
    if closest is None:
        return ""
    same_cell = kept[structure.numbers.tobytes() + structure.cell.tobytes() + structure.pbc.tobytes()]
    if any(rms_displacement(structure, positions) < closest for positions in same_cell):
        return DUPLICATE
    same_cell.append(structure.positions)
    return ""
