"""The slabs of a configuration: found in files with their crystals, or to be made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from unnp.atoms.structure import Structure
from unnp.data.opening import open_structures
from unnp.errors import ConfigError, DataError
from unnp.units import GPA_PER_EV_PER_A3
from unnp.workflows.surfaces.config import LABELS, MadeSlabs, SlabsInFiles, SurfacesConfig
from unnp.workflows.surfaces.crystals import check_indices, conventional_crystal, three_indices
from unnp.workflows.surfaces.planes import Plane, distinct_planes

J_PER_M2 = GPA_PER_EV_PER_A3 / 10
"""1 eV/A^2 in J/m^2: 16.0218."""


@dataclass(frozen=True)
class Energies:
    """Energies of a slab.

    Attributes:
        bulk: of its crystal [eV/atom].
        slab: [eV/atom].
        gamma: of its surfaces, the mean of both [J/m^2].
    """

    bulk: float
    slab: float
    gamma: float


@dataclass(frozen=True)
class Slab:
    """A slab and the crystal it is compared with.

    Attributes:
        name: for people, and unlike all others.
        crystal: its bulk; of a slab that is made, what each potential relaxes first.
        atoms: the slab; None: it is made of the relaxed crystal.
        made: how it is made; None: it was given.
        plane: Miller indices of one that is made.
        area: of one side [A^2] of one that was given.
        labels: energies that its file has; None: it has none.
    """

    name: str
    crystal: Atoms
    atoms: Atoms | None = None
    made: MadeSlabs | None = None
    plane: Plane | None = None
    area: float = 0.0
    labels: Energies | None = None

    @property
    def formula(self) -> str:
        """Reduced formula."""
        return _formula(self.crystal)


def gamma(slab_energy: float, n_atoms: int, bulk_energy: float, area: float) -> float:
    """Return the surface energy ``(E_slab - N_slab E_bulk / N_bulk) / (2 A)`` [J/m^2].

    Args:
        slab_energy: E_slab [eV].
        n_atoms: N_slab.
        bulk_energy: E_bulk / N_bulk [eV/atom].
        area: A of one side [A^2].
    """
    return (slab_energy - n_atoms * bulk_energy) / (2 * area) * J_PER_M2


def collect(config: SurfacesConfig, base: Path) -> list[Slab]:
    """Return all slabs of a configuration.

    Args:
        config: what is asked for.
        base: where relative paths in it begin.

    Raises:
        DataError: files cannot be read, hold no slabs, or no crystal for one.
        ConfigError: a crystal cannot be built, or is given four indices and not hexagonal; two slabs have one name; slabs
            without labels are compared with labels.
    """
    found = [
        slab
        for k, each in enumerate(config.slabs)
        for slab in (_made(each, base, f"slabs.{k}") if isinstance(each, MadeSlabs) else _in_files(each, base))
    ]
    names = [slab.name for slab in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"slabs: there are two slabs {twice}; name each file and each plane of a crystal once.")
    without = next((slab.name for slab in found if slab.labels is None), None)
    if config.reference == LABELS and without is not None:
        raise ConfigError(
            f"slabs: {without} has no energy to compare with; set `reference` to the name of a potential, or to null."
        )
    return found


def empty_layer(atoms: Structure) -> tuple[int, float]:
    """Return along which lattice vector the thickest empty layer lies, and how thick it is [A].

    Only directions with periodic boundaries count; a structure without a cell has none (0 A).
    """
    cell = atoms.cell
    if not np.all(atoms.pbc) or abs(np.linalg.det(cell)) < 1e-6:
        return 2, 0.0
    scaled = np.sort((atoms.positions @ np.linalg.inv(cell)) % 1.0, axis=0)
    gaps = np.diff(np.vstack([scaled, scaled[:1] + 1]), axis=0).max(axis=0)
    heights = [abs(np.linalg.det(cell)) / _area(cell, k) for k in range(3)]
    thicknesses = gaps * heights
    return int(np.argmax(thicknesses)), float(thicknesses.max())


def _made(settings: MadeSlabs, base: Path, where: str) -> list[Slab]:
    crystal = conventional_crystal(settings, base, where)
    for indices in settings.planes:
        check_indices(indices, crystal, f"{where}.planes")
    asked = {three_indices(indices): indices for indices in reversed(settings.planes)}  # the first name of each
    named = dict(reversed(asked.items())) or {plane: plane for plane in distinct_planes(crystal, settings.up_to or 1)}
    return [
        Slab(f"{settings.name} ({' '.join(map(str, indices))})", crystal, made=settings, plane=plane)
        for plane, indices in named.items()
    ]


def _in_files(settings: SlabsInFiles, base: Path) -> list[Slab]:
    structures = list(open_structures([base / path for path in settings.files], settings.read))
    layers = [empty_layer(structure) for structure in structures]
    bulk = _given_bulk(settings, base)
    solid = [s for s, (_, thickness) in zip(structures, layers, strict=True) if thickness < settings.vacuum]
    lowest = {} if bulk is not None else _lowest(solid)
    found = []
    for structure, (axis, thickness) in zip(structures, layers, strict=True):
        if thickness >= settings.vacuum and (not settings.groups or structure.group in settings.groups):
            found.append(_slab(structure, axis, bulk or _crystal_of(structure, lowest)))
    if not found:
        raise DataError(
            f"{', '.join(map(str, settings.files))}: none of {len(structures)} frames "
            f"{'in these groups ' if settings.groups else ''}has an empty layer of {settings.vacuum} A; are there slabs?"
        )
    return found


def _slab(structure: Structure, axis: int, bulk: Structure) -> Slab:
    area = _area(structure.cell, axis)
    labels = None
    if structure.energy is not None and bulk.energy is not None:
        per_atom = bulk.energy / len(bulk)
        own = structure.energy / len(structure)
        labels = Energies(per_atom, own, gamma(structure.energy, len(structure), per_atom, area))
    atoms, crystal = structure.to_atoms(), bulk.to_atoms()
    if _formula(atoms) != _formula(crystal):
        raise DataError(
            f"{structure.source} is {_formula(atoms)}, but its crystal {bulk.source} is {_formula(crystal)}."
        )
    folder, _, name = structure.source.rpartition("/")
    return Slab(name or folder, crystal, atoms, area=area, labels=labels)


def _given_bulk(settings: SlabsInFiles, base: Path) -> Structure | None:
    if settings.bulk is None:
        return None
    frames = open_structures(base / settings.bulk.file, settings.read)
    if settings.bulk.frame >= len(frames):
        raise ConfigError(
            f"slabs: bulk: {settings.bulk.file} has {len(frames)} frames, not frame {settings.bulk.frame}."
        )
    return frames[settings.bulk.frame]


def _lowest(solid: Sequence[Structure]) -> dict[str, Structure]:
    """Return, of each formula, the structure that has the lowest labelled energy per atom."""
    found: dict[str, tuple[float, Structure]] = {}
    for structure in solid:
        formula = _formula(structure.to_atoms())
        if structure.energy is not None:
            energy = structure.energy / len(structure)
            if formula not in found or energy < found[formula][0]:
                found[formula] = energy, structure
    return {formula: structure for formula, (_, structure) in found.items()}


def _crystal_of(slab: Structure, lowest: Mapping[str, Structure]) -> Structure:
    formula = _formula(slab.to_atoms())
    if formula not in lowest:
        raise DataError(
            f"{slab.source}: the files hold no labelled crystal of {formula} to compare with; name one (bulk: {{file: ...}})."
        )
    return lowest[formula]


def _area(cell: np.ndarray, axis: int) -> float:
    return float(np.linalg.norm(np.cross(cell[axis - 2], cell[axis - 1])))


def _formula(atoms: Atoms) -> str:
    return str(atoms.get_chemical_formula("metal", empirical=True))
