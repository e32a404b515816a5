"""Errors of any potential on labelled structures, in the columns of the field's tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unnp.atoms.structure import Structure
from unnp.data.labellers.kim import KimConfig, KimLabeller
from unnp.data.labellers.lammps_pair_style import LammpsLabeller
from unnp.data.labellers.lammps_simulation import PairStyle
from unnp.evaluate.evaluation import Limits, evaluated
from unnp.evaluate.stress_offset import offsets_of
from unnp.exported.loader import load_model
from unnp.lammps.system_config import InteractionConfig
from unnp.units import GPA_PER_EV_PER_A3

Pair = tuple[Structure, Mapping[str, Any]]


def mean_absolute_errors(pairs: Iterable[Pair]) -> dict[str, float]:
    """Return energy [meV/atom], force components and norms [eV/A] and stress components [GPa] of labels and predictions.

    ``force_norms`` is the mean of ``| |F| - |F_ref| |`` over atoms (Takamoto et al., HME21). Columns without a label are
    left out. A stress counts where the structure is periodic in all directions.
    """
    found: dict[str, list[np.ndarray]] = {}
    for structure, predicted in pairs:
        for name, errors in _errors(structure, predicted):
            found.setdefault(name, []).append(np.abs(np.ravel(errors)))
    return {name: float(np.concatenate(parts).mean()) for name, parts in found.items()}


def _errors(structure: Structure, predicted: Mapping[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    if structure.energy is not None:
        yield "energy", np.array(1000 * (predicted["energy"] - structure.energy) / len(structure))
    if structure.forces is not None and structure.has_forces.any():
        own, reference = predicted["forces"][structure.has_forces], structure.forces[structure.has_forces]
        yield "forces", own - reference
        yield "force_norms", np.linalg.norm(own, axis=1) - np.linalg.norm(reference, axis=1)
    if structure.stress is not None and np.all(structure.pbc) and predicted.get("stress") is not None:
        yield "stress", GPA_PER_EV_PER_A3 * (np.asarray(predicted["stress"]) - structure.stress)


def of_model(path: Path, structures: Sequence[Structure], device: str, head: str | None = None) -> dict[str, float]:
    """Return the errors of an exported model, the constant taken off the stress labels that its training found."""
    potential = load_model(path, device, head=head)
    offset = offsets_of(sorted({s.group for s in structures}), potential.stress_offset)
    predictions = evaluated(potential, structures, Limits())
    return mean_absolute_errors(zip((_shifted(s, offset) for s in structures), predictions, strict=True))


def of_peer(peer: InteractionConfig, structures: Sequence[Structure], base: Path, device: str) -> dict[str, float]:
    """Return the errors of a potential that is there; energies and stresses count from its own zeros."""
    if peer.model is not None:
        return of_model(base / peer.model, structures, device, peer.head)
    labeller: LammpsLabeller | KimLabeller
    if peer.kim is not None:
        labeller = KimLabeller(KimConfig(model=peer.kim), base)
    else:
        labeller = LammpsLabeller(_pair_style(peer, structures), base)
    try:
        return mean_absolute_errors((s, labeller.compute(s)) for s in structures)
    finally:
        labeller.close()


def _pair_style(peer: InteractionConfig, structures: Sequence[Structure]) -> PairStyle:
    from unnp.atoms.elements import symbols_of

    elements = peer.elements or symbols_of(np.concatenate([s.numbers for s in structures]))
    coefficients = [line.replace("{elements}", " ".join(elements)) for line in peer.pair_coeff]
    return PairStyle(elements=elements, pair_style=peer.pair_style or "", pair_coeff=coefficients)


def _shifted(structure: Structure, offset: Mapping[str, float]) -> Structure:
    if structure.stress is None:
        return structure
    shift = offset[structure.group] / GPA_PER_EV_PER_A3
    return structure.with_labels({"stress": structure.stress - shift * np.eye(3)})
