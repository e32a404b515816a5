"""How good an exported model is on labelled structures: error tables, predictions, parity plots."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from ase import Atoms
from ase.io.extxyz import write_extxyz

from unnp.atoms.outputs import Cost
from unnp.atoms.quantities import QUANTITIES, STANDARD
from unnp.atoms.structure import Structure
from unnp.data.batching import runs
from unnp.data.costs import COUNTS
from unnp.data.dataset import Batch, Dataset, collate
from unnp.data.progress import counting
from unnp.derivatives import Prediction
from unnp.errors import ConfigError
from unnp.evaluate.metrics import Metrics, Pairs
from unnp.evaluate.stress_offset import offsets_of, without_offset
from unnp.exported.finiteness import check_finite
from unnp.exported.loader import LoadedPotential
from unnp.files.writing import make_folder, write_atomically
from unnp.plots import parity
from unnp.units import GPA_PER_EV_PER_A3

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


def predictions(
    potential: LoadedPotential, dataset: Dataset, limits: Limits
) -> Iterator[tuple[list[int], Batch, Prediction]]:
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
) -> dict[str, Any]:
    """Evaluate a model, write what it gives into a folder and return the error table of ``metrics.Metrics``.

    The folder gets ``errors.json``, ``errors.csv``, ``predictions.xyz`` (labels and predictions, these as
    ``unnp_energy`` [eV], ``unnp_forces`` [eV/A], ``unnp_stress`` [eV/A^3], ...) and a parity plot with its CSV for each
    labelled quantity.

    Args:
        potential: exported model.
        structures: with labels; those without take no part in the errors.
        folder: is made where it does not exist.
        limits: of a batch.
        offset: constant tension [GPa] of the stress labels by group of the training data, which is taken off; labels in
            ``predictions.xyz`` are as they were.

    Raises:
        ModelError: a structure has an element the model does not know, or a prediction is not finite.
        UnnpError: the folder cannot be written, or another process writes it.
    """
    dataset = labelled(potential, structures)
    metrics = Metrics(dataset.groups, potential.elements.symbols, potential.device)
    pairs = Pairs(dataset.groups)
    make_folder(folder)

    def write_predictions(file: BinaryIO) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", write_through=True)
        with counting("evaluating", len(dataset)) as advance:
            for indices, batch, prediction in compared(potential, dataset, limits or Limits(), offset or {}):
                metrics.update(prediction, batch)
                pairs.update(prediction, batch)
                for structure, predicted in zip(indices, _separate(batch, prediction), strict=True):
                    _write_frame(text, structures[structure], predicted)
                    advance()
        text.detach()

    write_atomically(folder / "predictions.xyz", write_predictions)
    errors = metrics.result()
    _write_errors(folder, errors)
    for quantity in QUANTITIES:
        reference, predicted, groups = pairs.result(quantity)
        if len(reference):
            parity(
                quantity, QUANTITIES[quantity].shown[0], reference, predicted, groups, folder / f"parity-{quantity}.png"
            )
    return errors


def compared(
    potential: LoadedPotential, dataset: Dataset, limits: Limits, offset: Mapping[str, float]
) -> Iterator[tuple[list[int], Batch, Prediction]]:
    """Yield what ``predictions`` does, with the offset taken off the stress labels, as errors are counted.

    Args:
        potential, dataset, limits: as for ``predictions``; the dataset is that of ``labelled``.
        offset: as for ``evaluate``.

    Raises:
        ModelError: as for ``evaluate``.
    """
    offsets = torch.tensor(list(offsets_of(dataset.groups, offset).values()), dtype=torch.float64)
    offsets = offsets.to(potential.device) / GPA_PER_EV_PER_A3
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


def _separate(batch: Batch, prediction: Prediction) -> Iterator[dict[str, np.ndarray]]:
    """Yield the predicted quantities of each structure of a batch, by name."""
    owner = batch.graph.atom_graph.cpu().numpy()
    found = {name: prediction.get(quantity) for name, quantity in QUANTITIES.items()}
    arrays = {name: value.detach().double().cpu().numpy() for name, value in found.items() if value is not None}
    for k in range(batch.graph.n_graphs):
        yield {name: a[owner == k] if QUANTITIES[name].per_atom else a[k] for name, a in arrays.items()}


def _write_frame(file: io.TextIOWrapper, structure: Structure, predicted: dict[str, np.ndarray]) -> None:
    atoms = structure.to_atoms()
    for name in QUANTITIES:
        _put(atoms, name, name, structure.label(name))
    if structure.group:
        atoms.info["group"] = structure.group
    if structure.forces_weight is not None:
        atoms.arrays["forces_weight"] = structure.forces_weight
    for name, value in predicted.items():
        if name in STANDARD or structure.label(name) is not None or QUANTITIES[name].origin == "head":
            _put(atoms, f"unnp_{name}", name, value if np.isfinite(value).all() else None)
    write_extxyz(file, [atoms], write_results=False)


def _put(atoms: Atoms, name: str, quantity: str, value: Any) -> None:
    """Give atoms a value of a quantity under a name; None: nothing."""
    if value is None:
        return
    if QUANTITIES[quantity].per_atom:
        atoms.arrays[name] = np.asarray(value)
    else:
        atoms.info[name] = np.ravel(value) if np.ndim(value) else float(value)


def _write_errors(folder: Path, errors: dict[str, Any]) -> None:
    write_atomically(folder / "errors.json", json.dumps(errors, indent=2) + "\n")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["scope", "name", "quantity", "mae", "rmse", "n", "unit"])
    scopes = {"overall": {"all": errors["overall"]}, "group": errors["groups"], "element": errors["elements"]}
    for scope, rows in scopes.items():
        for name, row in rows.items():
            for quantity, values in row.items():
                numbers = [values["mae"], values["rmse"], values["n"]]
                writer.writerow([scope, name, quantity, *numbers, QUANTITIES[quantity].errors_in[0]])
    write_atomically(folder / "errors.csv", text.getvalue())
