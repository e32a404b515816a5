"""How good the trainings are: errors on test and pool, and which alpha the validation structures choose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unnp.atoms.elements import Elements
from unnp.atoms.quantities import STANDARD
from unnp.atoms.structure import Structure
from unnp.config.base import read_yaml
from unnp.data.dataset import Dataset, collate
from unnp.data.fingerprint import fingerprint
from unnp.data.store_checks import file_checksum
from unnp.derivatives import predict
from unnp.device import resolve_device, resolve_dtype
from unnp.evaluate.metrics import Metrics
from unnp.files.kept import kept
from unnp.models.checkpoint import load_potential
from unnp.workflows.inject.runs import Run
from unnp.workflows.inject.seeds import Seed

BATCH = 32


@dataclass(frozen=True)
class Outcome:
    """What came of a method with a seed.

    Attributes:
        architecture, method, seed: whose.
        run: folder of the training that was chosen.
        alpha: its weight of the injected labels; 0: none were learnt.
        validation: error that alpha was chosen by, for each alpha.
        test: mean absolute errors by quantity, in the units of the error tables.
        pool: the same on the pool, where it has hidden labels.
        steps, minutes: of the training that was chosen.
        injected: structures with labels of potentials.
    """

    architecture: str
    method: str
    seed: int
    run: Path
    alpha: float
    validation: dict[float, float]
    test: dict[str, float]
    pool: dict[str, float]
    steps: int
    minutes: float
    injected: int


def outcomes(seed: Seed, runs: Sequence[Run]) -> list[Outcome]:
    """Return what came of each method: the training whose error on the validation structures is the smallest."""
    tried: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        tried[run.architecture, run.method].append(run)
    return [_outcome(seed, own) for own in tried.values()]


def _outcome(seed: Seed, runs: Sequence[Run]) -> Outcome:
    quantity = seed.config.judge
    cards = {run.alpha: read_yaml(run.member.folder / "card.yaml") for run in runs}
    errors = {alpha: _maes(card["metrics"]["validation"])[quantity] for alpha, card in cards.items()}
    best = min(runs, key=lambda run: errors[run.alpha])
    folder = best.member.folder
    card = cards[best.alpha]
    labelled = [s for s in seed.material.at(seed.material.pool) if s.energy is not None]
    n = int(card["data"]["n_structures"]) - len(seed.division.split.train)
    return Outcome(
        best.architecture,
        best.method,
        seed.seed,
        folder,
        best.alpha,
        errors,
        _maes(card["metrics"]["test"]),
        _on_pool(folder, labelled, seed.config.device) if labelled else {},
        int(card["training"]["steps"]),
        float(card["training"]["minutes"]),
        n,
    )


def _maes(table: dict[str, Any]) -> dict[str, float]:
    return {name: errors["mae"] for name, errors in table.get("overall", {}).items()}


def _on_pool(folder: Path, structures: Sequence[Structure], device: str) -> dict[str, float]:
    made_with = {
        "checkpoint": file_checksum(folder / "checkpoints/kept.safetensors"),
        "structures": fingerprint(structures, labels=STANDARD),
    }
    return kept(folder / "pool-errors.json", made_with, lambda: errors_on(folder, structures, device))


def errors_on(folder: Path, structures: Sequence[Structure], device: str) -> dict[str, float]:
    """Return the mean absolute errors of the model of a run folder on labelled structures, by quantity."""
    potential, description = load_potential(folder)
    where, dtype = resolve_device(device), resolve_dtype(description["dtype"])
    potential.to(where)
    dataset = Dataset(structures, Elements(potential.elements), potential.cutoff(), cache_bytes=0)
    metrics = Metrics(dataset.groups, potential.elements, where)
    for first in range(0, len(dataset), BATCH):
        batch = collate([dataset[k] for k in range(first, min(first + BATCH, len(dataset)))]).to(where, dtype)
        metrics.update(predict(potential, batch.graph), batch)
    return _maes(metrics.result())
