"""How good an exported model is on labelled structures: error tables, predictions, parity plots."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unnp.atoms.outputs import Cost
from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.data.batching import runs
from unnp.data.costs import COUNTS
from unnp.data.dataset import Batch, Dataset, collate
from unnp.data.progress import counting
from unnp.errors import ConfigError
from unnp.evaluate.comparison import Compared, write_comparison
from unnp.evaluate.stress_offset import offsets_in_stored_units, without_offset
from unnp.exported.finiteness import check_finite
from unnp.exported.loader import LoadedPotential
from unnp.files.writing import write_atomically

MAX_ATOMS = 1000
COST_PER_ATOM = 40


@dataclass(frozen=True)
class Limits:
    """Bounds of a batch, and with it of the memory; a larger structure is a batch of its own.

    Attributes:
        atoms: per batch at most.
        cost: bonds per batch at most, or triplets where the model makes any.
    """

    atoms: int = MAX_ATOMS
    cost: int = COST_PER_ATOM * MAX_ATOMS

    def __post_init__(self) -> None:
        if self.atoms < 1 or self.cost < 1:
            raise ConfigError(f"a batch must hold at least one atom and one bond, got {self.atoms} and {self.cost}.")

    @classmethod
    def of(cls, atoms: int) -> Limits:
        """Return the limits of a batch of so many atoms, with the bonds that dense crystals have."""
        return cls(atoms, COST_PER_ATOM * atoms)


def predictions(potential: LoadedPotential, dataset: Dataset, limits: Limits) -> Iterator[Compared]:
    """Yield indices, labelled batch and prediction for all structures, in their order; one batch at a time is kept.

    Args:
        potential: to evaluate.
        dataset: structures with or without labels, graphs as long as the potential's cutoff.
        limits: of a batch.
    """
    for indices, batch in batches(dataset, potential.manifest.cost, limits):
        on_device = batch.to(potential.device, potential.dtype)
        yield indices, on_device, potential.predict(on_device.graph, outputs=bool(potential.quantities))


def evaluate(
    potential: LoadedPotential,
    structures: Sequence[Structure],
    folder: Path,
    limits: Limits | None = None,
    offset: Mapping[str, float] | None = None,
    *,
    align: bool = False,
) -> dict[str, Any]:
    """Evaluate a model, write what it gives into a folder and return the errors, as ``comparison.write_comparison`` does.

    Args:
        potential: exported model.
        structures: with labels; those without take no part in the errors.
        folder: is made where it does not exist.
        limits: of a batch.
        offset: constant tension [GPa] of the stress labels by group of the training data, which is taken off; labels in
            ``predictions.xyz`` are as they were.
        align: count its energies from the zeros of the labels (``alignment.aligned``).

    Raises:
        DataError: energies are to be aligned, and no structure has one.
        ModelError: a structure has an element the model does not know, or a prediction is not finite.
        UnnpError: the folder cannot be written, or another process writes it.
    """
    dataset = labelled(potential, structures)
    found = compared(potential, dataset, limits or Limits(), offset or {})
    return write_comparison(found, dataset, folder, potential.device, align=align)


def compared(
    potential: LoadedPotential, dataset: Dataset, limits: Limits, offset: Mapping[str, float]
) -> Iterator[Compared]:
    """Yield what ``predictions`` does, with the offset taken off the stress labels, as errors are counted.

    Args:
        potential, dataset, limits: as for ``predictions``; the dataset is that of ``labelled``.
        offset: as for ``evaluate``.

    Raises:
        ModelError: as for ``evaluate``.
    """
    offsets = offsets_in_stored_units(dataset.groups, offset).to(potential.device)
    for indices, batch, prediction in predictions(potential, dataset, limits):
        sources = [dataset.structures[k].source or f"structure {k}" for k in indices]
        check_finite(prediction, batch.graph, potential.elements, str(potential.path), sources)
        yield indices, without_offset(batch, offsets), prediction


def labelled(potential: LoadedPotential, structures: Sequence[Structure]) -> Dataset:
    """Return structures as a data set with the labels that a model can be compared in."""
    names = comparable(potential)
    return Dataset(structures, potential.elements, potential.cutoff, cache_bytes=0, quantities=names)


def write_output(
    potential: LoadedPotential, structures: Sequence[Structure], name: str, path: Path, limits: Limits | None = None
) -> tuple[int, ...]:
    """Write an output of a model as a ``.npz`` file and return the shape of its values.

    The arrays: ``values``, a row for each atom or structure; ``structure`` and ``numbers`` of each atom; ``groups``.

    Args:
        potential: exported model.
        structures: to evaluate.
        name: of a declared output.
        path: file to write.
        limits: of a batch.

    Raises:
        ConfigError: there is no such output.
        ModelError: a structure has an element the model does not know.
    """
    potential.manifest.output(name)
    dataset = Dataset(structures, potential.elements, potential.cutoff, cache_bytes=0)
    rows = []
    with counting("evaluating", len(dataset)) as advance:
        for indices, batch in batches(dataset, potential.manifest.cost, limits or Limits()):
            graph = batch.graph
            found = potential.features(graph) if name == "features" else potential.outputs(graph)[name]
            rows.append(found.cpu().numpy())
            for _ in indices:
                advance()
    n_atoms = [len(structure) for structure in structures]
    arrays: dict[str, Any] = {
        "values": np.concatenate(rows),
        "structure": np.repeat(np.arange(len(n_atoms)), n_atoms),
        "numbers": np.concatenate([structure.numbers for structure in structures]),
        "groups": np.array([structure.group or "" for structure in structures]),
    }
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_atomically(path, content.getvalue())
    return tuple(arrays["values"].shape)


def batches(dataset: Dataset, unit: Cost, limits: Limits) -> Iterator[tuple[list[int], Batch]]:
    """Yield indices and batch, in the order of the structures, each of which is read once."""

    def size_of(item: tuple[int, Batch]) -> np.ndarray:
        graph = item[1].graph
        return np.array([graph.n_atoms, COUNTS[unit](np.asarray(graph.bond_index))])

    single = ((k, dataset[k]) for k in range(len(dataset)))
    for run in runs(single, size_of, np.array([limits.atoms, limits.cost])):
        indices, parts = zip(*run, strict=True)
        yield list(indices), collate(parts)


def comparable(potential: LoadedPotential) -> list[str]:
    """Return the names of the quantities that a model can be compared in."""
    return [name for name, q in QUANTITIES.items() if q.origin != "head" or name in potential.quantities]
