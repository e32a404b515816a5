"""The order parameter as `fix momt` takes it, and whether it sees the crystal that the run begins with."""

from __future__ import annotations

from itertools import product

import numpy as np
from ase import Atoms

from unnp.errors import ConfigError
from unnp.lammps.system_config import StructureConfig
from unnp.workflows.momt.ensemble_config import NoOrder, Order, Q6Order, SkOrder

PERFECT = 0.99
"""s of a built crystal at rest is 1; a structure from a file may be warm"""
WARM = 0.4

_SIGNS = {
    "fcc": [(1, a, b) for a, b in product((1, -1), repeat=2)],
    "bcc": [v for a in (1, -1) for v in ((1, a, 0), (1, 0, a), (0, 1, a))],
}


def settled(order: Order, structure: StructureConfig, atoms: Atoms) -> Order:
    """Return the order parameter with star and cells filled in, after a look at the crystal.

    Args:
        order: as configured.
        structure: its lattice and repeats are the defaults.
        atoms: the crystal the run begins with.

    Raises:
        ConfigError: star or cells are not known, or the order parameter does not see the crystal.
    """
    if not isinstance(order, SkOrder):
        return order
    if order.wave_vectors is None:
        order = order.model_copy(
            update={"star": order.star or _star(structure), "cells": order.cells or _cells(structure)}
        )
    _check_crystal(order, atoms, built=structure.file is None)
    return order


def arguments(order: Order) -> str:
    """Return what follows ``order`` in the command ``fix momt``."""
    if isinstance(order, NoOrder):
        return "none"
    if isinstance(order, Q6Order):
        return f"q6 {order.inner:.10g} {order.outer:.10g}"
    if order.wave_vectors is not None:
        numbers = " ".join(str(n) for triplet in order.wave_vectors for n in triplet)
        return f"{order.kind} list {len(order.wave_vectors)} {numbers}"
    return f"{order.kind} {order.star} {' '.join(map(str, order.cells or ()))}"


def wave_vectors(order: SkOrder) -> np.ndarray:
    """Return the integer triplets (n_vectors, 3) of one half of the star."""
    if order.wave_vectors is not None:
        return np.array(order.wave_vectors)
    return np.array(_SIGNS[str(order.star)]) * np.array(order.cells)


def structure_factor(atoms: Atoms, triplets: np.ndarray) -> float:
    """Return ``s = (1/K) sum_k |sum_j exp(i k r_j)|^2 / N^2`` with ``k = 2 pi h^-T n``.

    Args:
        atoms: periodic in all directions.
        triplets: (K, 3) integers n.
    """
    phases = 2 * np.pi * atoms.get_scaled_positions(wrap=False) @ triplets.T
    return float(np.mean(np.abs(np.exp(1j * phases).mean(axis=0)) ** 2))


def _star(structure: StructureConfig) -> str:
    lattice = (structure.lattice or _own_lattice(structure.element)).lower()
    if lattice not in _SIGNS:
        raise ConfigError(
            f"order: sk and fk know the stars of {' and '.join(_SIGNS)}, and structure.lattice is '{lattice or 'not given'}'; "
            "give order.star with order.cells, order.wave_vectors, or order.kind q6."
        )
    return lattice


def _own_lattice(element: str | None) -> str:
    from ase.data import atomic_numbers, reference_states

    state = reference_states[atomic_numbers[element]] if element in atomic_numbers else None
    return str(state["symmetry"]) if state else ""


def _cells(structure: StructureConfig) -> tuple[int, int, int]:
    if structure.file is not None:
        raise ConfigError("order.cells: how many conventional cells of the crystal are along each edge of the cell?")
    return structure.repeat


def _check_crystal(order: SkOrder, atoms: Atoms, *, built: bool) -> None:
    if not atoms.pbc.all():
        raise ConfigError("order: sk and fk need a structure that is periodic in all directions.")
    s, least = structure_factor(atoms, wave_vectors(order)), PERFECT if built else WARM
    if s >= least:
        return
    raise ConfigError(
        f"order: '{arguments(order)}' sees a structure factor of {s:.3f} in the crystal the run begins with; one that fits has "
        f"{'1' if built else f'more than {WARM:g}'}. The cell must hold whole conventional cells along its edges, and "
        "order.cells must be their numbers (structure.repeat of a built cubic cell); for another crystal give "
        "order.wave_vectors or order.kind q6."
    )
