"""The atoms of a run from a structure file, with what the file says of their motion: masses, momenta, fixed atoms."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.constraints import FixAtoms

from unnp.atoms.elements import atomic_number
from unnp.data.readers.base import Frame, reader_for
from unnp.data.readers.mapping import structure_of
from unnp.data.readers.options import UNLABELLED
from unnp.errors import ConfigError, DataError, in_one_line
from unnp.lammps.system_config import FixedConfig, StructureConfig

ASE_PER_A_PER_PS = 1 / (1000 * units.fs)
UNUSED = ("initial_magmoms", "initial_charges")
"""What ASE keeps of a structure and no potential here looks at."""
_VELOCITY_NAMES = ("vel", "velo", "velocity", "velocities")


def read_atoms(config: StructureConfig, base: Path) -> Atoms:
    """Return the frame that a configuration asks for, with masses, momenta, tags and its fixed atoms (``FixAtoms``).

    Args:
        config: a configuration that names a file.
        base: where relative paths begin.

    Raises:
        DataError: the file cannot be read, or its masses or momenta are no numbers.
        ConfigError: there is no such frame, it has constraints that cannot be kept, or no such atoms to fix.
    """
    path = base / str(config.file)
    if not path.is_file():
        raise DataError(f"{path} does not exist, or is no file; give a structure file.")
    frames = list(reader_for(path, None).frames(path))
    if not -len(frames) <= config.frame < len(frames):
        raise ConfigError(f"structure.frame: {path} has {len(frames)} frames, there is no frame {config.frame}.")
    return atoms_of(frames[config.frame], config.fixed)


def atoms_of(frame: Frame, fixed: str | list[int] | FixedConfig | None) -> Atoms:
    """Return the atoms of a frame with masses, momenta, tags and fixed atoms.

    Args:
        frame: from a reader.
        fixed: which atoms do not move, as ``StructureConfig.fixed``.

    Raises:
        DataError: the frame holds no atoms, or numbers that are none.
        ConfigError: it has constraints that cannot be kept, or no such atoms to fix.
    """
    atoms = structure_of(frame, UNLABELLED).to_atoms()
    _carry_over(frame, atoms)
    mask = _fixed(fixed, frame.atoms, frame.where)
    if mask.any():
        atoms.set_constraint(FixAtoms(mask=mask))
    return atoms


def fixed_atoms(atoms: Atoms) -> np.ndarray:
    """Return the indices (n_fixed,) of the atoms that do not move."""
    indices = [constraint.index for constraint in atoms.constraints]
    return np.unique(np.concatenate(indices)) if indices else np.zeros(0, dtype=np.int64)


def has_velocities(atoms: Atoms) -> bool:
    """Tell whether any atom that is free to move has a velocity; momenta that are all zero are those of no dynamics."""
    moving = np.delete(atoms.get_momenta(), fixed_atoms(atoms), axis=0)
    return bool(moving.any())


def not_used(atoms: Atoms) -> list[str]:
    """Return the names of what the file says of the atoms and nothing here looks at."""
    return [name for name in (*UNUSED, *_VELOCITY_NAMES) if name in atoms.arrays]


def say_not_used(atoms: Atoms) -> None:
    """Say, where velocities are always drawn, what of the structure file is not used."""
    names = [*(["momenta"] if has_velocities(atoms) else []), *not_used(atoms)]
    if names:
        print(f"Note: {', '.join(names)} of the structure file are not used; velocities are drawn.", flush=True)


def require_free(atoms: Atoms, what: str) -> None:
    """Raise ConfigError where atoms are fixed and all must move."""
    n_fixed = len(fixed_atoms(atoms))
    if n_fixed:
        raise ConfigError(
            f"{n_fixed} atoms of the structure are fixed, but in {what} all atoms and the cell move; let them go with "
            "`structure: {fixed: none}`, or run `unnp md` in a fixed cell."
        )


def _carry_over(frame: Frame, atoms: Atoms) -> None:
    arrays = frame.atoms.arrays
    for name in ("tags", *not_used(frame.atoms)):
        if name in arrays:
            atoms.set_array(name, arrays[name])
    if "masses" in arrays:
        atoms.set_masses(_checked(frame, "masses", (len(atoms),)))
        if not (atoms.get_masses() > 0).all():
            raise DataError(f"{frame.where}: masses must be above 0.")
    if "momenta" in arrays:
        atoms.set_momenta(_checked(frame, "momenta", (len(atoms), 3)))
    elif "vel" in arrays and _info(frame).get("units") == "metal":  # the trajectory of `unnp md`
        atoms.set_velocities(_checked(frame, "vel", (len(atoms), 3)) * ASE_PER_A_PER_PS)
        del atoms.arrays["vel"]


def _checked(frame: Frame, name: str, shape: tuple[int, ...]) -> np.ndarray:
    try:
        values = np.asarray(frame.atoms.arrays[name], dtype=np.float64).reshape(shape)
    except (TypeError, ValueError):
        raise DataError(f"{frame.where}: {name} are not {' x '.join(map(str, shape))} numbers.") from None
    if not np.isfinite(values).all():
        raise DataError(f"{frame.where}: {name} are not finite.")
    return values


def _info(frame: Frame) -> dict[str, Any]:
    return {
        str(name): value for source in frame.sources if isinstance(source, Mapping) for name, value in source.items()
    }


def _fixed(setting: str | list[int] | FixedConfig | None, atoms: Atoms, where: str) -> np.ndarray:
    """Return which atoms of a frame are fixed, (n_atoms,) bool."""
    n = len(atoms)
    if setting == "file":
        return _fixed_in_file(atoms, where)
    if isinstance(setting, FixedConfig):
        return _selected(setting, atoms, where)
    chosen = np.zeros(n, dtype=bool)
    numbers = setting if isinstance(setting, list) else []
    for k in numbers:
        if not 0 <= k < n:
            raise ConfigError(f"structure.fixed: {where} has atoms 0 to {n - 1}, there is no atom {k}.")
    chosen[numbers] = True
    return chosen


def _selected(setting: FixedConfig, atoms: Atoms, where: str) -> np.ndarray:
    z = atoms.positions[:, 2]
    chosen = np.isin(atoms.get_tags(), setting.tags)
    chosen |= np.isin(atoms.numbers, [atomic_number(symbol) for symbol in setting.elements])
    if setting.below is not None:
        chosen |= z < setting.below
    if setting.above is not None:
        chosen |= z > setting.above
    if not chosen.any():
        raise ConfigError(f"structure.fixed: {where} has no such atoms.")
    return chosen


def _fixed_in_file(atoms: Atoms, where: str) -> np.ndarray:
    components = np.zeros((len(atoms), 3), dtype=bool)
    for constraint in atoms.constraints:
        # FixCartesian and FixScaled say which components; FixAtoms has all of them
        mask = getattr(constraint, "mask", None) if type(constraint).__name__ != "FixAtoms" else np.ones(3, dtype=bool)
        if mask is None or np.shape(mask) != (3,):
            raise _cannot_keep(type(constraint).__name__, where)
        components[np.ravel(constraint.index)] |= np.asarray(mask, dtype=bool)
    chosen = np.asarray(components.all(axis=1))
    if (components.any(axis=1) & ~chosen).any():
        raise _cannot_keep("components of positions", where)
    return chosen


def _cannot_keep(what: str, where: str) -> ConfigError:
    return ConfigError(
        f"{where} has constraints that are not kept here ({in_one_line(what)}): only whole atoms can be fixed. Choose them "
        "with `structure: {fixed: ...}`, or let all atoms go with `fixed: none`."
    )
