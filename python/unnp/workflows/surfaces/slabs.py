"""The slabs of a configuration: found in files with their crystals, or to be made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell

from unnp.atoms.enclosing import enclosing_cell
from unnp.atoms.structure import Structure
from unnp.data.opening import open_structures
from unnp.errors import ConfigError, DataError
from unnp.units import GPA_PER_EV_PER_A3
from unnp.workflows.surfaces.config import LABELS, MadeSlabs, SlabsInFiles, SurfacesConfig
from unnp.workflows.surfaces.crystals import check_indices, conventional_crystal, three_indices
from unnp.workflows.surfaces.planes import Plane, distinct_planes

J_PER_M2 = GPA_PER_EV_PER_A3 / 10
"""1 eV/A^2 in J/m^2: 16.0218."""
ROOM = 10.0
"""On each side of a slab along a direction that is not periodic [A]: a calculator may know periodic cells only."""
LARGE_FORCE = 0.1
"""A crystal in which labelled forces are larger [eV/A] is not relaxed,"""
LARGE_STRESS = 5.0
"""nor one in which components of the labelled stress are [GPa]; those of good data may be off by some GPa (Pulay stress)."""
NAMED = 3
"""So many frames are named where more are meant."""


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
        crystal_source: file and frame of its bulk, of one that was given.
    """

    name: str
    crystal: Atoms
    atoms: Atoms | None = None
    made: MadeSlabs | None = None
    plane: Plane | None = None
    area: float = 0.0
    labels: Energies | None = None
    crystal_source: str = ""

    @property
    def formula(self) -> str:
        """Reduced formula."""
        return _formula(self.crystal)


@dataclass(frozen=True)
class Collected:
    """The slabs of a configuration.

    Attributes:
        slabs: all of them.
        notes: which frames are their crystals, and which are left out; doubts begin with "!".
    """

    slabs: list[Slab]
    notes: list[str]


def gamma(slab_energy: float, n_atoms: int, bulk_energy: float, area: float) -> float:
    """Return the surface energy ``(E_slab - N_slab E_bulk / N_bulk) / (2 A)`` [J/m^2].

    Args:
        slab_energy: E_slab [eV].
        n_atoms: N_slab.
        bulk_energy: E_bulk / N_bulk [eV/atom].
        area: A of one side [A^2].
    """
    return (slab_energy - n_atoms * bulk_energy) / (2 * area) * J_PER_M2


def collect(config: SurfacesConfig, base: Path) -> Collected:
    """Return all slabs of a configuration, and what is to be said of them.

    Args:
        config: what is asked for.
        base: where relative paths in it begin.

    Raises:
        DataError: files cannot be read, hold no slabs, or no crystal for one.
        ConfigError: a crystal cannot be built, or is given four indices and not hexagonal; two slabs have one name; slabs
            without labels are compared with labels.
    """
    found: list[Slab] = []
    notes: list[str] = []
    for k, each in enumerate(config.slabs):
        if isinstance(each, MadeSlabs):
            found += _made(each, base, f"slabs.{k}")
        else:
            collected = _in_files(each, base)
            found += collected.slabs
            notes += collected.notes
    names = [slab.name for slab in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"slabs: there are two slabs {twice}; name each file and each plane of a crystal once.")
    without = next((slab.name for slab in found if slab.labels is None), None)
    if config.reference == LABELS and without is not None:
        raise ConfigError(
            f"slabs: {without} has no energy to compare with; set `reference` to the name of a potential, or to null."
        )
    return Collected(found, list(dict.fromkeys(notes)))


def empty_layers(atoms: Structure) -> np.ndarray:
    """Return how thick the thickest empty layer along each lattice vector is (3,) [A].

    Along a vector that is not periodic it is infinite.
    """
    cell = complete_cell(np.where(atoms.pbc[:, None], atoms.cell, 0.0))
    scaled = np.sort((atoms.positions @ np.linalg.inv(cell)) % 1.0, axis=0)
    gaps = np.diff(np.vstack([scaled, scaled[:1] + 1]), axis=0).max(axis=0)
    heights = np.array([abs(np.linalg.det(cell)) / _area(cell, k) for k in range(3)])
    return np.where(atoms.pbc, gaps * heights, np.inf)


def is_slab(atoms: Structure, vacuum: float) -> bool:
    """Tell whether there is an empty layer of so many A along one lattice vector, not along none, two or three."""
    return int((empty_layers(atoms) >= vacuum).sum()) == 1


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


def _in_files(settings: SlabsInFiles, base: Path) -> Collected:
    structures = list(open_structures([base / path for path in settings.files], settings.read))
    solid: list[Structure] = []
    slabs: list[tuple[Structure, int]] = []
    others: list[Structure] = []
    for structure in structures:
        along = empty_layers(structure) >= settings.vacuum
        if not along.any():
            solid.append(structure)
        elif settings.groups and structure.group not in settings.groups:
            continue
        elif along.sum() == 1:
            slabs.append((structure, int(np.argmax(along))))
        else:
            others.append(structure)
    left_out = _left_out(others, settings.vacuum)
    if not slabs:
        raise DataError(
            f"{', '.join(map(str, settings.files))}: none of {len(structures)} frames "
            f"{'in these groups ' if settings.groups else ''}has an empty layer of {settings.vacuum:g} A along one lattice "
            f"vector; are there slabs? {' '.join(left_out)}".rstrip()
        )
    bulk = _given_bulk(settings, base)
    lowest = {} if bulk is not None else _lowest(solid)
    crystals = [bulk or _crystal_of(structure, lowest) for structure, _ in slabs]
    found = [_slab(structure, axis, crystal) for (structure, axis), crystal in zip(slabs, crystals, strict=True)]
    used = {crystal.source: crystal for crystal in crystals}
    return Collected(found, [*(note for crystal in used.values() for note in _notes(crystal)), *left_out])


def _left_out(structures: Sequence[Structure], vacuum: float) -> list[str]:
    """Return in a line which frames are neither crystals nor slabs."""
    if not structures:
        return []
    named = ", ".join(map(_short, structures[:NAMED]))
    return [
        f"left out, as {vacuum:g} A are empty along two or three lattice vectors (isolated atoms, clusters, wires): "
        f"{len(structures)} frames ({named}{', ...' if len(structures) > NAMED else ''})."
    ]


def _notes(crystal: Structure) -> list[str]:
    """Return which frame is a crystal, and whether its labels say that it is not relaxed."""
    formula = _formula(crystal.to_atoms())
    strong = []
    if crystal.forces is not None and (forces := crystal.forces[crystal.has_forces]).size:
        largest = float(np.linalg.norm(forces, axis=1).max())
        strong += [f"forces up to {largest:.2f} eV/A"] if largest > LARGE_FORCE else []
    if crystal.stress is not None:
        largest = float(np.abs(crystal.stress).max()) * GPA_PER_EV_PER_A3
        strong += [f"a stress up to {largest:.1f} GPa"] if largest > LARGE_STRESS else []
    said = [f"crystal of {formula}: {_short(crystal)}"]
    if strong:
        said.append(
            f"! {_short(crystal)} has {' and '.join(strong)} in its labels: it is no relaxed crystal of {formula}, and "
            "surface energies count from it; name another (bulk: {file: ..., frame: ...})"
        )
    return said


def _slab(structure: Structure, axis: int, bulk: Structure) -> Slab:
    """Return a slab and its crystal; one that is not periodic along an axis gets a cell with vacuum there."""
    area = _area(complete_cell(np.where(structure.pbc[:, None], structure.cell, 0.0)), axis)
    labels = None
    if structure.energy is not None and bulk.energy is not None:
        per_atom = bulk.energy / len(bulk)
        own = structure.energy / len(structure)
        labels = Energies(per_atom, own, gamma(structure.energy, len(structure), per_atom, area))
    crystal = bulk.to_atoms()
    cell, origin = enclosing_cell(structure, ROOM)
    atoms = Atoms(structure.numbers, structure.positions - origin, cell=cell, pbc=True)
    if _formula(atoms) != _formula(crystal):
        raise DataError(
            f"{structure.source} is {_formula(atoms)}, but its crystal {bulk.source} is {_formula(crystal)}."
        )
    return Slab(_short(structure), crystal, atoms, area=area, labels=labels, crystal_source=_short(bulk))


def _given_bulk(settings: SlabsInFiles, base: Path) -> Structure | None:
    if settings.bulk is None:
        return None
    frames = open_structures(base / settings.bulk.file, settings.read)
    if settings.bulk.frame >= len(frames):
        raise ConfigError(
            f"slabs: bulk: {settings.bulk.file} has {len(frames)} frames, not frame {settings.bulk.frame}."
        )
    bulk = frames[settings.bulk.frame]
    if not np.all(bulk.pbc):
        raise ConfigError(
            f"slabs: bulk: frame {settings.bulk.frame} of {settings.bulk.file} is not periodic in all three directions; "
            "name a crystal."
        )
    return bulk


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


def _short(structure: Structure) -> str:
    """Return file and frame that a structure came from, without the folder."""
    folder, _, name = structure.source.rpartition("/")
    return name or folder


def _area(cell: np.ndarray, axis: int) -> float:
    return float(np.linalg.norm(np.cross(cell[axis - 2], cell[axis - 1])))


def _formula(atoms: Atoms) -> str:
    return str(atoms.get_chemical_formula("metal", empirical=True))
