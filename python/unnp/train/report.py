"""What is left beside the weights when a training is over: figures and card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from unnp import plots
from unnp.atoms.quantities import QUANTITIES
from unnp.data.dataset import Dataset
from unnp.evaluate.card import versions, write_card
from unnp.evaluate.metrics import Pairs
from unnp.evaluate.stress_offset import offsets_of
from unnp.models.checkpoint import load_potential
from unnp.models.validity import validity
from unnp.train.config import TrainConfig
from unnp.train.datasets import sampler_of
from unnp.train.distributed import Processes
from unnp.train.log import Record
from unnp.train.loss import Loss
from unnp.train.offset import StressOffset, found_offsets
from unnp.train.replay import doubt_of_old
from unnp.train.run_folder import RunFolder
from unnp.train.state import Position
from unnp.train.validation import validate


def write_report(
    folder: RunFolder,
    config: TrainConfig,
    begun: nn.Module,
    datasets: dict[str, Dataset],
    records: list[Record],
    end: Position,
    device: torch.device,
) -> dict[str, Any]:
    """Evaluate the kept weights, write figures and card; return the error tables of validation and test structures.

    Args:
        folder: the run's folder.
        config: all settings.
        begun: what the training began with, for its errors on the structures ``old``.
        datasets: ``validation``, ``test`` and ``old``, where there are such structures.
        records: rows of the log.
        end: where the training stands.
        device: to compute on.

    Raises:
        ModelError: the kept checkpoint is missing or damaged.
    """
    potential, description = load_potential(folder.checkpoint("kept"))
    potential.to(device)
    plots.learning_curve(records, folder.path / "learning-curve.png", _learning_errors(config))
    parts: list[str] = [name for name in ("validation", "test", "old") if name in datasets]
    offset = found_offsets(description)
    metrics = {name: errors_on(folder.path, config, offset, potential, datasets[name], name, device) for name in parts}
    of_start = {}
    if "old" in datasets:
        of_start["old"] = errors_on(folder.path, config, offset, begun, datasets["old"], "old-at-the-start", device)
    write_card(
        folder.path,
        {
            "name": folder.path.resolve().name,
            "potential": description["potential"],
            "n_parameters": potential.n_parameters,
            "references": potential.references,
            "data": description["data"],
            "stress_offset": offset,
            "validity": validity(description["data"], potential),
            "metrics": metrics,
            "metrics_of_start": of_start,
            "notes": {"old": note} if "old" in datasets and (note := doubt_of_old(config)) else {},
            "training": {
                "epoch of the weights": description["position"]["epoch"],
                "epochs": end.epoch,
                "steps": end.step,
                "minutes": round(end.seconds / 60, 1),
                "device": str(device),
            },
            "versions": versions(),
            "settings": config.model_dump(mode="json"),
        },
    )
    return metrics


def _learning_errors(config: TrainConfig) -> dict[str, str]:
    """Return the labels of the errors in a learning curve by their names in the log."""
    shown = [QUANTITIES[name] for name in config.loss.shown() if name in QUANTITIES]
    return {f"{quantity.name}_mae": f"{quantity.words} [{quantity.errors_in[0]}]" for quantity in shown}


def errors_on(
    folder: Path,
    config: TrainConfig,
    offset: Mapping[str, float],
    potential: nn.Module,
    dataset: Dataset,
    part: str,
    device: torch.device,
) -> dict[str, Any]:
    """Return the error table of a potential, or of the mean of several, and draw its parity plots.

    Args:
        folder: where the plots go.
        config: of the training.
        offset: constant tension [GPa] by group that is taken off the stress labels.
        potential: to evaluate.
        dataset: structures with labels.
        part: what they are for, in the names of the plots.
        device: to compute on.
    """
    pairs, alone = Pairs(dataset.groups), Processes()
    batches = sampler_of(config, dataset, alone, shuffle=False).epoch(0)
    dtype = torch.float64 if config.dtype == "float64" else torch.float32
    loss = Loss(config.loss.with_offset(offsets_of(dataset.groups, offset)), dataset.groups)
    taken_off = StressOffset(loss, dataset.groups, dataset.group_sizes, device)
    result = validate(potential, dataset, batches, loss, taken_off, alone, device, dtype=dtype, observe=pairs.update)
    for quantity in QUANTITIES:
        reference, predicted, groups = pairs.result(quantity)
        if len(reference):
            plots.parity(
                quantity,
                QUANTITIES[quantity].shown[0],
                reference,
                predicted,
                groups,
                folder / f"parity-{part}-{quantity}.png",
            )
    return result.metrics
