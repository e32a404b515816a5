"""Random cells of many elements: composition, start, and density from the volumes of the atoms."""

from __future__ import annotations

from itertools import product

import numpy as np
from ase import Atoms
from ase.build import bulk

from unnp.atoms.neighbors import bonds
from unnp.atoms.structure import Structure
from unnp.data.generation.mixture import Mixture
from unnp.errors import ConfigError

_MOST_REPEATS = 6
_LONGEST_SIDE = 2.0  # longest side of a cell / shortest
_RADIUS = 0.45  # of an atom, in cube roots of its volume: 80 % of the half distance of neighbours in a dense crystal
_MOST_STEPS = 300


def random_cell(sample: Mixture, rng: np.random.Generator) -> Structure:
    """Return one cell of a mixture before its dynamics; raise ConfigError where no crystal has so many atoms.

    The proportions of the elements drawn are uniform over all there can be, with one atom of each at least.
    """
    fewest, most = sample.elements_per_cell
    symbols = rng.choice(sample.elements, size=rng.integers(fewest, most + 1), replace=False)
    start = rng.choice(sample.starts)
    atoms = _packing(sample, rng) if start == "packing" else _crystal(str(start), sample, rng)
    counts = 1 + rng.multinomial(len(atoms) - len(symbols), rng.dirichlet(np.ones(len(symbols))))
    atoms.set_chemical_symbols(rng.permutation(np.repeat(symbols, counts)).tolist())
    volumes = np.array([sample.atomic_volume(symbol) for symbol in atoms.symbols])
    volume = volumes.sum() * rng.uniform(*sample.volume_factors)
    atoms.set_cell(atoms.cell * (volume / atoms.get_volume()) ** (1 / 3), scale_atoms=True)
    return spread(Structure.from_atoms(atoms), _RADIUS * np.cbrt(volumes))


def spread(structure: Structure, radii: np.ndarray) -> Structure:
    """Return the structure with atoms moved apart until none are nearer than the sum of their radii, as far as that goes.

    Args:
        structure: periodic.
        radii: (n_atoms,) [A].
    """
    for _ in range(_MOST_STEPS):
        index, shifts = bonds(structure, 2 * radii.max())
        vectors = structure.positions[index[1]] - structure.positions[index[0]] + shifts @ structure.cell
        lengths = np.maximum(np.linalg.norm(vectors, axis=1), 1e-6)
        overlaps = np.maximum(radii[index].sum(axis=0) - lengths, 0.0)
        if not overlaps.any():
            break
        # a little more than half: else the last ones take forever
        steps = (0.55 * overlaps / lengths)[:, None] * vectors
        np.add.at(structure.positions, index[1], steps)
        np.add.at(structure.positions, index[0], -steps)
    return structure


def _packing(sample: Mixture, rng: np.random.Generator) -> Atoms:
    n = int(rng.integers(sample.atoms[0], sample.atoms[1] + 1))
    sides = rng.uniform(1.0, _LONGEST_SIDE, size=3)
    return Atoms(f"X{n}", scaled_positions=rng.random((n, 3)), cell=np.diag(sides), pbc=True)


def _crystal(prototype: str, sample: Mixture, rng: np.random.Generator) -> Atoms:
    unit = bulk("X", "hcp", a=1.0, c=(8 / 3) ** 0.5, orthorhombic=True) if prototype == "hcp" else None
    unit = unit or bulk("X", prototype, a=1.0, cubic=True)
    fitting = [repeat for repeat in product(range(1, _MOST_REPEATS + 1), repeat=3) if _fits(unit, repeat, sample)]
    if not fitting:
        raise ConfigError(
            f"no {prototype} cell has {sample.atoms[0]} to {sample.atoms[1]} atoms and sides of similar lengths; widen "
            "atoms, or leave this start out."
        )
    return unit * fitting[rng.integers(len(fitting))]


def _fits(unit: Atoms, repeat: tuple[int, ...], sample: Mixture) -> bool:
    sides = unit.cell.lengths() * repeat
    in_range = sample.atoms[0] <= len(unit) * np.prod(repeat) <= sample.atoms[1]
    return bool(in_range and sides.max() <= _LONGEST_SIDE * sides.min())
