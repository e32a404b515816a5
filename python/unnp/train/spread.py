"""How far trainings that differ in their seed differ in their errors, and what their mean prediction is worth."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from unnp.atoms.elements import Elements
from unnp.atoms.quantities import QUANTITIES
from unnp.evaluate.card import read_metrics, versions
from unnp.files.writing import write_atomically
from unnp.models.checkpoint import load_potential
from unnp.models.committee import Committee
from unnp.train.config import TrainConfig
from unnp.train.datasets import make_datasets
from unnp.train.heads import head_positions
from unnp.train.offset import found_offsets
from unnp.train.replay import open_all
from unnp.train.report import errors_on

MeanErrors = dict[str, dict[str, float]]
"""``{quantity: {"mae", "rmse"}}`` of all structures together, in the units of ``unnp.atoms.quantities``."""
Table = dict[str, MeanErrors]
"""Errors by row: ``seed 0`` ..., ``mean``, ``standard deviation``, ``mean prediction``."""
KINDS = ("mae", "rmse")


def write_spread(
    folder: Path, members: Mapping[int, Path], config: TrainConfig, base: str | Path, device: torch.device
) -> dict[str, Table]:
    """Compare members with each other and with their mean prediction.

    The folder gets ``errors.csv``, ``card.yaml`` with the errors of the mean prediction, and its parity plots.

    Args:
        folder: of the committee.
        members: their run folders by seed.
        config: all settings.
        base: folder that the paths in ``config`` are relative to.
        device: to compute on.

    Raises:
        ModelError: a kept checkpoint is missing or damaged.
    """
    of_members = {seed: read_metrics(path) for seed, path in members.items()}
    of_mean = _errors_of_mean(folder, list(members.values()), config, base, device)
    tables = {
        part: _table({seed: metrics[part]["overall"] for seed, metrics in of_members.items()}, found["overall"])
        for part, found in of_mean.items()
    }
    write_atomically(folder / "errors.csv", _as_csv(tables))
    card = {
        "name": folder.resolve().name,
        "members": [path.name for path in members.values()],
        "metrics": of_mean,
        "versions": versions(),
    }
    write_atomically(folder / "card.yaml", yaml.safe_dump(card, sort_keys=False, allow_unicode=True))
    return tables


def rows(table: Table) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a table as texts."""
    quantities = [name for name in QUANTITIES if any(name in errors for errors in table.values())]
    columns = [(name, kind) for name in quantities for kind in KINDS]
    titles = [f"{QUANTITIES[name].words}\n{kind.upper()}\n[{QUANTITIES[name].errors_in[0]}]" for name, kind in columns]
    cells = [
        [name, *(f"{errors[quantity][kind]:.4g}" if quantity in errors else "" for quantity, kind in columns)]
        for name, errors in table.items()
    ]
    return ["", *titles], cells


def _errors_of_mean(
    folder: Path, runs: Sequence[Path], config: TrainConfig, base: str | Path, device: torch.device
) -> dict[str, Any]:
    """Return the error tables of the mean prediction of the kept weights of all members, by part."""
    potentials, descriptions = zip(*(load_potential(run) for run in runs), strict=True)
    offsets = [found_offsets(description) for description in descriptions]
    groups = {name for found in offsets for name in found}
    offset = {name: float(np.mean([found[name] for found in offsets if name in found])) for name in sorted(groups)}
    sources = open_all(config.located(base))
    owner = head_positions(config, sources)
    first = potentials[0]
    datasets = make_datasets(config, sources, Elements(first.elements), first.cutoff(), owner)
    mean = Committee([potential.to(device) for potential in potentials])
    return {
        part: errors_on(folder, config, offset, mean, datasets[part], part, device)
        for part in ("validation", "test", "old")
        if part in datasets
    }


def _table(members: Mapping[int, MeanErrors], mean_prediction: MeanErrors) -> Table:
    """Return the rows; the standard deviation is that of the seeds, with n - 1, and is missing where there is one."""
    table: Table = {f"seed {seed}": errors for seed, errors in members.items()}
    table["mean"] = _over(list(members.values()), np.mean)
    if len(members) > 1:
        table["standard deviation"] = _over(list(members.values()), lambda values: np.std(values, ddof=1))
    return {**table, "mean prediction": mean_prediction}


def _over(members: Sequence[MeanErrors], take: Any) -> MeanErrors:
    shared = [name for name in members[0] if all(name in errors for errors in members)]
    return {name: {kind: float(take([e[name][kind] for e in members])) for kind in KINDS} for name in shared}


def _as_csv(tables: Mapping[str, Table]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["part", "member", "quantity", *KINDS, "unit"])
    for part, table in tables.items():
        for member, errors in table.items():
            for quantity, values in errors.items():
                numbers = [values[kind] for kind in KINDS]
                writer.writerow([part, member, quantity, *numbers, QUANTITIES[quantity].errors_in[0]])
    return text.getvalue()
