"""Bragg peaks, and whether they see the crystal that the run begins with."""

from __future__ import annotations

from itertools import product
from typing import Literal, Self

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, reference_states
from pydantic import PositiveInt, model_validator

from unnp.errors import ConfigError
from unnp.lammps.system_config import StructureConfig
from unnp.workflows.momt.order_parameters.base import Measured

Triplet = tuple[int, int, int]

PERFECT = 0.99
"""s of a built crystal at rest is 1; a structure from a file may be warm"""
WARM = 0.4

_SIGNS = {
    "fcc": [(1, a, b) for a, b in product((1, -1), repeat=2)],
    "bcc": [v for a in (1, -1) for v in ((1, a, 0), (1, 0, a), (0, 1, a))],
}


class BraggPeaks(Measured):
    """What functions of the structure factor at chosen wave vectors have in common."""

    star: Literal["fcc", "bcc"] | None = None
    """which star: {111} of fcc or {110} of bcc; default: `structure.lattice`"""
    cells: tuple[PositiveInt, PositiveInt, PositiveInt] | None = None
    """conventional cells along the box edges; default: `structure.repeat`"""
    wave_vectors: list[Triplet] | None = None
    """for other crystals, instead of star and cells: integer triplets n of k = 2 pi h^-T n, h the cell"""

    @model_validator(mode="after")
    def _star_or_list(self) -> Self:
        if self.wave_vectors is not None and (self.star or self.cells):
            raise ValueError("give either `wave_vectors`, or `star` and `cells`")
        if self.wave_vectors is not None and (not self.wave_vectors or (0, 0, 0) in self.wave_vectors):
            raise ValueError("`wave_vectors` needs at least one triplet, and none of them [0, 0, 0]")
        return self

    def words(self) -> str:
        if self.wave_vectors is not None:
            numbers = " ".join(str(n) for triplet in self.wave_vectors for n in triplet)
            return f"{self.kind} list {len(self.wave_vectors)} {numbers}"
        return f"{self.kind} {self.star} {' '.join(map(str, self.cells or ()))}"

    def barostat_words(self) -> list[str]:
        """A flipped box has other edges, and the triplets count waves along them."""
        return ["flip no"]

    def settled(self, structure: StructureConfig, atoms: Atoms) -> Self:
        order = self
        if self.wave_vectors is None:
            found = {"star": self.star or self._star_of(structure), "cells": self.cells or _cells_of(structure)}
            order = self.model_copy(update=found)
        order._check_crystal(atoms, built=structure.file is None)
        return order

    @property
    def is_settled(self) -> bool:
        """Whether the wave vectors are known without a look at a crystal."""
        return self.wave_vectors is not None or (self.star is not None and self.cells is not None)

    def measure(self, atoms: Atoms) -> float:
        """Return s of atoms that are periodic in all directions, as `fix momt` does; star and cells are settled."""
        return structure_factor(atoms, self.triplets())

    def triplets(self) -> np.ndarray:
        """Return the integer triplets (n_vectors, 3) of one half of the star; star and cells are settled."""
        if self.wave_vectors is not None:
            return np.array(self.wave_vectors)
        return np.array(_SIGNS[str(self.star)]) * np.array(self.cells)

    def _star_of(self, structure: StructureConfig) -> str:
        lattice = (structure.lattice or _own_lattice(structure.element)).lower()
        if lattice not in _SIGNS:
            raise ConfigError(
                f"order: {self.kind} knows the stars of {' and '.join(_SIGNS)}, and structure.lattice is "
                f"'{lattice or 'not given'}'; give order.star with order.cells, order.wave_vectors, or order.kind q6."
            )
        return lattice

    def _check_crystal(self, atoms: Atoms, *, built: bool) -> None:
        if not atoms.pbc.all():
            raise ConfigError(f"order: {self.kind} needs a structure that is periodic in all directions.")
        s, least = structure_factor(atoms, self.triplets()), PERFECT if built else WARM
        if s >= least:
            return
        raise ConfigError(
            f"order: '{self.words()}' sees a structure factor of {s:.3f} in the crystal the run begins with; one that fits "
            f"has {'1' if built else f'more than {WARM:g}'}. The cell must hold whole conventional cells along its edges, "
            "and order.cells must be their numbers (structure.repeat of a built cubic cell); for another crystal give "
            "order.wave_vectors or order.kind q6."
        )


class SkOrder(BraggPeaks):
    """Bragg peaks: the mean of |rho_k|^2 / N^2 over a star of wave vectors; 1 in the perfect crystal, 1/N in a gas."""

    kind: Literal["sk"]


def structure_factor(atoms: Atoms, triplets: np.ndarray) -> float:
    """Return ``s = (1/K) sum_k |sum_j exp(i k r_j)|^2 / N^2`` with ``k = 2 pi h^-T n``.

    Args:
        atoms: periodic in all directions.
        triplets: (K, 3) integers n.
    """
    phases = 2 * np.pi * atoms.get_scaled_positions(wrap=False) @ triplets.T
    return float(np.mean(np.abs(np.exp(1j * phases).mean(axis=0)) ** 2))


def _own_lattice(element: str | None) -> str:
    state = reference_states[atomic_numbers[element]] if element in atomic_numbers else None
    return str(state["symmetry"]) if state else ""


def _cells_of(structure: StructureConfig) -> tuple[int, int, int]:
    if structure.file is not None:
        raise ConfigError("order.cells: how many conventional cells of the crystal are along each edge of the cell?")
    return structure.repeat
