"""What a set of structures holds: counts, ranges, missing labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from ase.data import chemical_symbols

from unnp.atoms.neighbors import bonds
from unnp.atoms.quantities import QUANTITIES, STANDARD, Quantity
from unnp.atoms.structure import Structure
from unnp.data.distances import merge, shortest_distances
from unnp.errors import DataError


@dataclass(frozen=True)
class Statistics:
    """Summary of a set of structures; numbers that cannot be had (no such label) are None.

    Attributes:
        n_structures: number of structures.
        n_atoms: atoms of all structures together.
        atoms_per_structure: smallest and largest structure.
        elements: atoms of each element, by increasing Z.
        groups: structures of each group.
        missing: structures without the label, for energy, forces, stress and what else any structure has.
        energy_per_atom: (minimum, mean, maximum) [eV].
        rms: root mean square of the labels that count, of single atoms and of the stress, by name, in the units of
            ``unnp.atoms.quantities``; labels that no structure has are left out.
        forces_max: largest norm [eV/A].
        uncounted_stress: structures whose stress does not count, as they are not periodic in all three directions.
        shortest_distances: shortest distance for each pair of elements, "Al-Ni" [A]; pairs never closer than 4 A are left out.
        volume_per_atom: smallest and largest [A^3], of the structures that are periodic in all directions.
        average_neighbors: neighbours of an atom within ``cutoff``, averaged over atoms.
        cutoff: the distance neighbours were counted in [A].
    """

    n_structures: int
    n_atoms: int
    atoms_per_structure: tuple[int, int]
    elements: dict[str, int]
    groups: dict[str, int]
    missing: dict[str, int]
    energy_per_atom: tuple[float, float, float] | None = None
    rms: dict[str, float] = field(default_factory=dict)
    forces_max: float | None = None
    shortest_distances: dict[str, float] = field(default_factory=dict)
    volume_per_atom: tuple[float, float] | None = None
    average_neighbors: float | None = None
    cutoff: float | None = None
    uncounted_stress: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, strings and lists, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Statistics:
        """Return the statistics of ``to_dict``; raise DataError for anything else."""
        try:
            fields: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
            return cls(**fields)
        except (TypeError, AttributeError) as error:
            raise DataError(f"these are no statistics of a data set ({error}).") from None


def statistics(structures: Iterable[Structure], cutoff: float | None = None) -> Statistics:
    """Return the statistics of structures, read once in order.

    Args:
        structures: with whatever labels they have.
        cutoff: count neighbours within this distance [A]; None: do not.
    """
    running = RunningStatistics(cutoff)
    for structure in structures:
        running.add(structure)
    return running.result()


class RunningStatistics:
    """Sums over structures added one by one, so that a set larger than memory can be summarised.

    Args:
        cutoff: count neighbours within this distance [A]; None: do not.
    """

    def __init__(self, cutoff: float | None) -> None:
        self.cutoff = cutoff
        self.n_bonds = 0
        self.sizes: list[int] = []
        self.energies: list[float] = []
        self.volumes: list[float] = []
        self.shortest: dict[str, float] = {}
        self.elements: Counter[int] = Counter()
        self.groups: Counter[str] = Counter()
        self.missing = dict.fromkeys(QUANTITIES, 0)
        self.squares = dict.fromkeys(QUANTITIES, (0.0, 0))
        self.forces_max = 0.0
        self.uncounted_stress = 0

    def add(self, structure: Structure) -> None:
        """Add a structure."""
        self.sizes.append(len(structure))
        self.elements.update(np.asarray(structure.numbers).tolist())
        self.groups[structure.group] += 1
        for quantity in QUANTITIES.values():
            self._add_label(structure, quantity)
        if structure.energy is not None:
            self.energies.append(structure.energy / max(1, len(structure)))
        if structure.forces is not None:
            norms = np.linalg.norm(structure.forces[structure.has_forces], axis=1)
            self.forces_max = max(self.forces_max, float(norms.max(initial=0.0)))
        if len(structure) and np.all(structure.pbc):
            self.volumes.append(abs(float(np.linalg.det(structure.cell))) / len(structure))
        self.shortest = merge(self.shortest, shortest_distances(structure))
        if self.cutoff is not None:
            self.n_bonds += bonds(structure, self.cutoff)[0].shape[1]

    def _add_label(self, structure: Structure, quantity: Quantity) -> None:
        name, value = quantity.name, structure.label(quantity.name)
        self.missing[name] += value is None
        if value is None:
            return
        if quantity.needs_volume and not np.all(structure.pbc):
            self.uncounted_stress += 1
            return
        if quantity.extensive:  # its mean square says nothing of structures of different sizes
            return
        numbers = value[structure.has_label(quantity)] if quantity.per_atom else value
        total, n = self.squares[name]
        self.squares[name] = (total + float(np.square(numbers).sum()), n + np.size(numbers))

    def result(self) -> Statistics:
        """Return the statistics of the structures added so far."""
        n_atoms = sum(self.sizes)
        energy = np.array(self.energies)
        return Statistics(
            n_structures=len(self.sizes),
            n_atoms=n_atoms,
            atoms_per_structure=(min(self.sizes, default=0), max(self.sizes, default=0)),
            elements={chemical_symbols[z]: self.elements[z] for z in sorted(self.elements)},
            groups=dict(sorted(self.groups.items())),
            missing={name: n for name, n in self.missing.items() if name in STANDARD or n < len(self.sizes)},
            energy_per_atom=(float(energy.min()), float(energy.mean()), float(energy.max())) if len(energy) else None,
            rms={name: float(np.sqrt(total / n)) for name, (total, n) in self.squares.items() if n},
            forces_max=self.forces_max if self.squares["forces"][1] else None,
            shortest_distances=self.shortest,
            volume_per_atom=(min(self.volumes), max(self.volumes)) if self.volumes else None,
            average_neighbors=2 * self.n_bonds / max(1, n_atoms) if self.cutoff is not None else None,
            cutoff=self.cutoff,
            uncounted_stress=self.uncounted_stress,
        )


def atom_counts(structures: Sequence[Structure]) -> np.ndarray:
    """Return (n_structures,) int64 atoms of each structure; from a store without reading its structures."""
    known = getattr(structures, "n_atoms", None)
    return np.array([len(s) for s in structures] if known is None else known, dtype=np.int64)


def group_names(structures: Sequence[Structure]) -> list[str]:
    """Return the group of each structure; from a store without reading its structures."""
    known = getattr(structures, "group_names", None)
    return [s.group for s in structures] if known is None else list(known)
