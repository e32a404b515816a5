"""How good an exported model is on labelled structures: error tables, predictions, parity plots."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from ase.io.extxyz import write_extxyz

from unnp.atoms.outputs import Cost
from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.data.batching import runs
from unnp.data.costs import COUNTS
from unnp.data.dataset import Batch, Dataset, collate
from unnp.data.progress import counting
from unnp.derivatives import Prediction
from unnp.errors import ConfigError
from unnp.evaluate.metrics import Metrics, Pairs
from unnp.exported.finiteness import check_finite
from unnp.exported.loader import LoadedPotential
from unnp.files.writing import make_folder, write_atomically
from unnp.plots import parity

MAX_ATOMS = 1000
MAX_COST = 40_000


@dataclass(frozen=True)
class Limits:
    """Bounds of a batch, and with it of the memory; a larger structure is a batch of its own.

    Attributes:
        atoms: per batch at most.
        cost: bonds per batch at most, or triplets where the model makes any.
    """

    atoms: int = MAX_ATOMS
    cost: int = MAX_COST

    def __post_init__(self) -> None:
        if self.atoms < 1 or self.cost < 1:
            raise ConfigError(f"a batch must hold at least one atom and one bond, got {self.atoms} and {self.cost}.")


def predictions(
    potential: LoadedPotential, dataset: Dataset, limits: Limits
) -> Iterator[tuple[list[int], Batch, Prediction]]:
    """Yield indices, labelled batch and prediction for all structures, in their order; one batch at a time is kept.

    Args:
        potential: to evaluate.
        dataset: structures with or without labels, graphs as long as the potential's cutoff.
        limits: of a batch.
    """
    for indices, batch in _batches(dataset, potential.manifest.cost, limits):
        on_device = batch.to(potential.device, potential.dtype)
        yield indices, on_device, potential.predict(on_device.graph)


def evaluate(
    potential: LoadedPotential, structures: Sequence[Structure], folder: Path, limits: Limits | None = None
) -> dict[str, Any]:
    """Evaluate a model, write what it gives into a folder and return the error table of ``metrics.Metrics``.

    The folder gets ``errors.json``, ``errors.csv``, ``predictions.xyz`` (labels and predictions, these as
    ``unnp_energy`` [eV], ``unnp_forces`` [eV/A], ``unnp_stress`` [eV/A^3]) and a parity plot with its CSV for each
    labelled quantity.

    Args:
        potential: exported model.
        structures: with labels; those without take no part in the errors.
        folder: is made where it does not exist.
        limits: of a batch.

    Raises:
        ModelError: a structure has an element the model does not know, or a prediction is not finite.
        UnnpError: the folder cannot be written, or another process writes it.
    """
    dataset = Dataset(structures, potential.elements, potential.cutoff, cache_bytes=0)
    metrics = Metrics(dataset.groups, potential.elements.symbols, potential.device)
    pairs = Pairs(dataset.groups)
    make_folder(folder)

    def write_predictions(file: BinaryIO) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", write_through=True)
        with counting("evaluating", len(dataset)) as advance:
            for indices, batch, prediction in predictions(potential, dataset, limits or Limits()):
                sources = [structures[k].source or f"structure {k}" for k in indices]
                check_finite(prediction, batch.graph, potential.elements, str(potential.path), sources)
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
        for indices, batch in _batches(dataset, potential.manifest.cost, limits or Limits()):
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


def _batches(dataset: Dataset, unit: Cost, limits: Limits) -> Iterator[tuple[list[int], Batch]]:
    """Yield indices and batch, in the order of the structures, each of which is read once."""

    def size_of(item: tuple[int, Batch]) -> np.ndarray:
        graph = item[1].graph
        return np.array([graph.n_atoms, COUNTS[unit](np.asarray(graph.bond_index))])

    single = ((k, dataset[k]) for k in range(len(dataset)))
    for run in runs(single, size_of, np.array([limits.atoms, limits.cost])):
        indices, parts = zip(*run, strict=True)
        yield list(indices), collate(parts)


def _separate(batch: Batch, prediction: Prediction) -> Iterator[dict[str, Any]]:
    """Yield energy [eV], forces [eV/A] and stress [eV/A^3] of each structure of a batch."""
    owner = batch.graph.atom_graph.cpu().numpy()
    energy, forces, stress = (getattr(prediction, name).double().cpu().numpy() for name in QUANTITIES)
    for k in range(batch.graph.n_graphs):
        yield {"energy": float(energy[k]), "forces": forces[owner == k], "stress": stress[k]}


def _write_frame(file: io.TextIOWrapper, structure: Structure, predicted: dict[str, Any]) -> None:
    atoms = structure.to_atoms()
    stress = None if structure.stress is None else structure.stress.ravel()
    labels = {"energy": structure.energy, "stress": stress, "group": structure.group or None}
    atoms.info.update({name: value for name, value in labels.items() if value is not None})
    if structure.forces is not None:
        atoms.arrays["forces"] = structure.forces
    if structure.forces_weight is not None:
        atoms.arrays["forces_weight"] = structure.forces_weight
    atoms.info["unnp_energy"] = predicted["energy"]
    atoms.arrays["unnp_forces"] = predicted["forces"]
    if np.isfinite(predicted["stress"]).all():
        atoms.info["unnp_stress"] = predicted["stress"].ravel()
    write_extxyz(file, [atoms], write_results=False)


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
