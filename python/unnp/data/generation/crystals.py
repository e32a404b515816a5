"""Crystals and their strained, displaced, incomplete and cut relatives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk, surface

from unnp.data.generation.recipe import Base, Disturbed, Random, Solid, Surface, Vacancy
from unnp.data.opening import open_structures
from unnp.data.readers import read_structures
from unnp.data.readers.options import UNLABELLED
from unnp.errors import ConfigError


def crystal(base: Base, folder: Path) -> Atoms:
    """Return the unit cell of a base, the cubic one where there is one; raise ConfigError where it cannot be built."""
    if base.file is not None:
        return read_structures(folder / base.file, UNLABELLED)[0].to_atoms()
    cubic = base.prototype != "hcp"
    try:
        return bulk(str(base.symbols), base.prototype, a=base.a, c=base.c, cubic=cubic)
    except (ValueError, RuntimeError, KeyError) as error:
        raise ConfigError(f"no {base.prototype} crystal of '{base.symbols}' can be built: {error}.") from None


def make_solid(unit: Atoms, sample: Solid) -> list[Atoms]:
    """Return one crystal for each scale."""
    return [scaled(unit * sample.repeat, scale) for scale in sample.scales]


def make_random(unit: Atoms, sample: Random, rng: np.random.Generator) -> list[Atoms]:
    """Return ``sample.count`` crystals, each strained, incomplete and displaced as the sample says."""
    whole = slab(unit, sample) if isinstance(sample, Surface) else unit * sample.repeat
    made = []
    for _ in range(sample.count):
        atoms = strained(whole, sample.max_strain, rng)
        if isinstance(sample, Vacancy):
            atoms = without(atoms, sample.vacancies, rng)
        atoms.positions += rng.normal(scale=sample.displacement, size=(len(atoms), 3))
        made.append(atoms)
    return made


def make_disturbed(sample: Disturbed, folder: Path, rng: np.random.Generator) -> list[Atoms]:
    """Return the copies of all structures of the sample's files, those of one beside each other."""
    made = []
    for structure in open_structures([folder / name for name in sample.files], UNLABELLED):
        whole = structure.to_atoms()
        for _ in range(sample.copies):
            atoms = strained(whole, sample.max_strain, rng) if whole.cell.rank == 3 else whole.copy()
            atoms.positions += rng.normal(scale=rng.uniform(*sample.displacement), size=(len(atoms), 3))
            made.append(atoms)
    return made


def slab(unit: Atoms, sample: Surface) -> Atoms:
    """Return a slab with vacuum; periodic in all directions, so that it has a stress."""
    try:
        atoms = surface(unit, sample.miller, sample.layers, vacuum=sample.vacuum, periodic=True)
    except (ValueError, ZeroDivisionError) as error:
        raise ConfigError(f"no surface {sample.miller} can be cut: {error}.") from None
    if sample.repeat[2] != 1:
        raise ConfigError("the third number of repeat must be 1 for a surface; its thickness is set by layers.")
    return atoms * sample.repeat


def scaled(atoms: Atoms, factor: float) -> Atoms:
    """Return a copy with all lengths times a factor."""
    copy = atoms.copy()
    copy.set_cell(copy.cell * factor, scale_atoms=True)
    return copy


def strained(atoms: Atoms, max_strain: float, rng: np.random.Generator) -> Atoms:
    """Return a copy deformed by ``1 + e``, e symmetric, its components uniform in plus and minus ``max_strain``."""
    e = rng.uniform(-max_strain, max_strain, size=(3, 3))
    copy = atoms.copy()
    copy.set_cell(copy.cell @ (np.eye(3) + np.triu(e) + np.triu(e, 1).T), scale_atoms=True)
    return copy


def without(atoms: Atoms, n: int, rng: np.random.Generator) -> Atoms:
    """Return a copy that lacks ``n`` atoms drawn at random; raise ConfigError where there are not more."""
    if n >= len(atoms):
        raise ConfigError(f"{n} vacancies leave nothing of {len(atoms)} atoms; repeat the cell more often.")
    copy = atoms.copy()
    del copy[rng.choice(len(copy), size=n, replace=False)]
    return copy


def substituted(atoms: Atoms, proportions: dict[str, float], rng: np.random.Generator) -> Atoms:
    """Return a copy with elements drawn at random, as near to the proportions as whole atoms allow."""
    share = np.array(list(proportions.values())) / sum(proportions.values())
    exact = share * len(atoms)
    counts = np.floor(exact).astype(int)
    by_remainder = np.argsort(counts - exact, kind="stable")
    counts[by_remainder[: len(atoms) - counts.sum()]] += 1
    copy = atoms.copy()
    copy.set_chemical_symbols(rng.permutation(np.repeat(list(proportions), counts)).tolist())
    return copy
