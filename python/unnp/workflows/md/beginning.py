"""How a run of molecular dynamics begins: which atoms move, with which velocities, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from ase import Atoms

from unnp.errors import ConfigError
from unnp.lammps.structure_file import fixed_atoms, has_velocities, not_used
from unnp.lammps.system import System
from unnp.workflows.md.config import THERMOSTATTED, MdConfig

ALL_MOMENTA = 3
"""Degrees of freedom that LAMMPS takes off by itself: the momenta of the whole."""


def with_motion(system: System, config: MdConfig, atoms: Atoms) -> System:
    """Return the system with what its deck says of the motion: fixed atoms, velocities, degrees of freedom.

    Raises:
        ConfigError: all atoms are fixed, or the velocities of the file are asked for and it has none.
    """
    fixed = fixed_atoms(atoms)
    if len(fixed) == len(atoms):
        raise ConfigError(f"all {len(atoms)} atoms are fixed; let some go with `structure: {{fixed: ...}}`.")
    moving = config.velocities != "random" and has_velocities(atoms)
    if config.velocities == "file" and not moving:
        raise ConfigError("`velocities: file`: the structure has no velocities (momenta); use `velocities: random`.")
    return replace(system, fixed=(fixed + 1).tolist(), velocities=moving, lost=_lost(config, atoms, moving))


def notes(config: MdConfig, system: System, atoms: Atoms) -> list[str]:
    """Return what was taken from the structure file and what was not, for people."""
    said = []
    if system.fixed:
        said.append(f"{len(system.fixed)} of {len(atoms)} atoms are fixed; the temperature is that of the others.")
    has_momenta = "momenta" in atoms.arrays
    if system.velocities:
        drawn = "" if config.ensemble in THERMOSTATTED else f", not drawn at {config.temperatures[0]:g} K"
        said.append(f"the velocities are those of the structure file{drawn}; `velocities: random` draws them.")
    elif has_momenta and config.temperatures[0] > 0:
        all_zero = "" if has_velocities(atoms) else ", which are all zero,"
        said.append(f"the velocities of the structure file{all_zero} are not used; they are drawn at the temperature.")
    unused = not_used(atoms)
    if unused:
        said.append(f"{', '.join(unused)} of the structure file are not used.")
    return said


def _lost(config: MdConfig, atoms: Atoms, has_own_velocities: bool) -> int:
    """Return the degrees of freedom without thermal motion: what is conserved, and was zero at the beginning."""
    if len(atoms) == 1 or len(fixed_atoms(atoms)) or config.ensemble == "langevin":
        return 0  # of a single atom there is no other motion; fixed atoms and random forces conserve nothing
    if atoms.pbc.any() or has_own_velocities:
        return ALL_MOMENTA
    centred = atoms.positions - atoms.positions.mean(axis=0)
    is_linear = np.linalg.matrix_rank(centred, tol=1e-3) < 2
    return ALL_MOMENTA + (2 if is_linear else 3)
