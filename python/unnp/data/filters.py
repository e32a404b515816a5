"""Leaving structures out by their labels."""

from __future__ import annotations

import numpy as np

from unnp.atoms.structure import Structure
from unnp.errors import DataError


def within_limits(structure: Structure, max_force: float | None, max_energy: float | None) -> bool:
    """Tell whether a structure's labels are within limits.

    Args:
        structure: with the labels that a limit is given for.
        max_force: largest norm of a force [eV/A]; None: no limit.
        max_energy: largest energy per atom [eV]; None: no limit.

    Raises:
        DataError: the label of a limit is missing.
    """
    for name, label, limit in (("forces", structure.forces, max_force), ("energy", structure.energy, max_energy)):
        if limit is not None and label is None:
            raise DataError(f"{structure.source} has no {name}, so no limit can be put on it; drop the limit.")
    force = (
        0.0
        if structure.forces is None
        else float(np.linalg.norm(structure.forces[structure.has_forces], axis=1).max(initial=0.0))
    )
    energy = -np.inf if structure.energy is None else structure.energy / max(1, len(structure))
    return (max_force is None or force <= max_force) and (max_energy is None or energy <= max_energy)
