"""What a potential predicts beside labels, written into a folder: error tables, predictions, parity plots."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from ase import Atoms
from ase.io.extxyz import write_extxyz

from unnp.atoms.quantities import QUANTITIES, STANDARD
from unnp.atoms.structure import Structure
from unnp.data.dataset import Batch, Dataset
from unnp.data.progress import counting
from unnp.derivatives import Prediction
from unnp.evaluate.alignment import Compared, aligned
from unnp.evaluate.metrics import Metrics, Pairs
from unnp.files.writing import make_folder, write_atomically
from unnp.plots import parity


def write_comparison(
    found: Iterable[Compared], dataset: Dataset, folder: Path, device: torch.device | str, *, align: bool
) -> dict[str, Any]:
    """Write what a potential gives into a folder and return the error table of ``metrics.Metrics``.

    The folder gets ``errors.json``, ``errors.csv``, ``predictions.xyz`` (labels and predictions, these as
    ``unnp_energy`` [eV], ``unnp_forces`` [eV/A], ``unnp_stress`` [eV/A^3], ...) and a parity plot with its CSV for each
    labelled quantity.

    Args:
        found: indices, labelled batch and prediction of all structures, in their order.
        dataset: the structures.
        folder: is made where it does not exist.
        device: of the batches.
        align: count its energies from the zeros of the labels; ``errors.json`` has them as ``alignment``.

    Raises:
        DataError: energies are to be aligned, and no structure has one.
        UnnpError: the folder cannot be written, or another process writes it.
    """
    metrics, pairs = Metrics(dataset.groups, dataset.elements.symbols, device), Pairs(dataset.groups)
    make_folder(folder)
    found, alignment = _counted(found, len(dataset)), None
    if align:
        found, alignment = aligned(found, dataset)

    def write_predictions(file: BinaryIO) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", write_through=True)
        for indices, batch, prediction in found:
            metrics.update(prediction, batch)
            pairs.update(prediction, batch)
            for k, predicted in zip(indices, _separate(batch, prediction), strict=True):
                _write_frame(text, dataset.structures[k], predicted)
        text.detach()

    write_atomically(folder / "predictions.xyz", write_predictions)
    errors = {**metrics.result(), **({} if alignment is None else {"alignment": alignment.to_dict()})}
    _write_errors(folder, errors)
    for name, quantity in QUANTITIES.items():
        reference, predicted, groups = pairs.result(name)
        if len(reference):
            parity(name, quantity.shown[0], reference, predicted, groups, folder / f"parity-{name}.png")
    return errors


def _counted(found: Iterable[Compared], total: int) -> Iterator[Compared]:
    """Yield what is found, and show the progress."""
    with counting("evaluating", total) as advance:
        for item in found:
            yield item
            for _ in item[0]:
                advance()


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


def _write_errors(folder: Path, errors: Mapping[str, Any]) -> None:
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
