"""The model card: what a model is, what it was trained on, how good it is."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from unnp import __version__
from unnp.atoms.quantities import QUANTITIES, STANDARD
from unnp.config.base import read_yaml
from unnp.errors import UnnpError, in_one_line
from unnp.files.writing import write_atomically

logger = logging.getLogger(__name__)

MOST_OF_A_SOURCE = 1000
"""Characters of one entry on a source of labels, as its citation, that ``card.md`` shows; ``card.yaml`` has all."""


def versions() -> dict[str, str]:
    """Return the versions of what a result depends on."""
    return {
        "unnp": __version__,
        "torch": str(torch.__version__),
        "numpy": str(np.__version__),
        "python": platform.python_version(),
    }


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write ``card.yaml`` (all of it) and ``card.md`` (for reading) into a folder.

    Args:
        folder: where to.
        card: ``name``, ``potential``, ``n_parameters``, ``references``, ``data``, ``stress_offset`` ({group: GPa}),
            ``validity``, ``metrics`` ({part: result of Metrics}), ``metrics_of_start`` (the same before the training),
            ``notes`` ({part: what to know of these errors}),
            ``settings``, ``training``, ``versions``.
    """
    card = {"created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), **card}
    write_atomically(folder / "card.yaml", yaml.safe_dump(card, sort_keys=False, allow_unicode=True))
    write_atomically(folder / "card.md", _markdown(card))


def read_metrics(run: Path) -> dict[str, Any]:
    """Return the error tables of the card of a run folder, or of the folder a checkpoint lies in.

    Empty without a card, and with a warning where the card is damaged: a model can do without them.
    """
    for folder in (run, run.parent, run.parent.parent):
        if (folder / "card.yaml").is_file():
            try:
                return _tables(read_yaml(folder / "card.yaml").get("metrics"))
            except (UnnpError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                logger.warning(
                    "%s is damaged (%s); the errors in it are left out. `unnp train ... --resume` writes it anew.",
                    folder / "card.yaml",
                    in_one_line(error),
                )
                return {}
    return {}


def _tables(metrics: Any) -> dict[str, Any]:
    """Return the error tables of a card; raise ValueError where they are not plain finite numbers by name."""
    tables: dict[str, Any] = json.loads(json.dumps(metrics or {}, allow_nan=False))
    for table in tables.values():
        error_table(table)
    return tables


def error_table(metrics: Mapping[str, Any]) -> list[list[str]]:
    """Return rows ``[name, MAE and RMSE of each quantity]`` of a result of Metrics; empty where no labels."""
    rows = {"all": metrics["overall"]}
    for kind in ("groups", "elements"):
        parts = {name: row for name, row in metrics[kind].items() if row}
        rows |= parts if len(parts) > 1 else {}  # the only one is all
    columns = _columns(metrics)
    return [[name or "(no group)", *_cells(row, columns)] for name, row in rows.items()]


def error_header(metrics: Mapping[str, Any], separator: str = " ") -> list[str]:
    """Return the titles of the columns of ``error_table``: quantity, kind and unit."""
    titles = [
        separator.join([QUANTITIES[name].words, kind, f"[{QUANTITIES[name].errors_in[0]}]"])
        for name in _columns(metrics)
        for kind in ("MAE", "RMSE")
    ]
    return ["", *titles]


def _columns(metrics: Mapping[str, Any]) -> list[str]:
    """Return the quantities that a table shows: energy, forces, stress, and others that have errors."""
    return [name for name in QUANTITIES if name in STANDARD or name in metrics["overall"]]


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    return [f"{row[name][kind]:.4g}" if name in row else "" for name in columns for kind in ("mae", "rmse")]


def _markdown(card: Mapping[str, Any]) -> str:
    data, potential = card["data"], card["potential"]
    elements = ", ".join(f"{symbol} ({n} atoms)" for symbol, n in data["elements"].items())
    groups = ", ".join(f"{name or '(none)'} ({n})" for name, n in data["groups"].items())
    lines = [
        f"# {card['name']}",
        "",
        f"{potential['architecture']}, {card['n_parameters']} parameters, {card['settings']['dtype']}.",
        f"Written {card['created']}.",
        "",
        "## Data",
        "",
        f"{data['n_structures']} structures for training{_drawn(data)}, {data['n_validation']} for validation,",
        f"{data['n_test']} for testing.",
        f"Elements: {elements}.",
        f"Groups: {groups}.",
        "",
        *_origins(data.get("labels_from", ())),
    ]
    limits = [f"* {name}: {value}" for name, value in card.get("validity", {}).items()]
    lines += (
        ["## Range of validity", "", "Outside of what the training data cover, it extrapolates.", "", *limits, ""]
        if limits
        else []
    )
    lines += _offsets(card.get("stress_offset") or {})
    notes, of_start = card.get("notes") or {}, card.get("metrics_of_start") or {}
    tables = [(f"Errors on the {part} structures", part, metrics) for part, metrics in card["metrics"].items()]
    tables += [
        (f"Errors on the {part} structures before this training", part, metrics) for part, metrics in of_start.items()
    ]
    for title, part, metrics in tables:
        lines += [
            f"## {title}",
            "",
            *([notes[part], ""] if part in notes else []),
            *_markdown_table(error_header(metrics), error_table(metrics)),
            "",
        ]
    training = [f"* {key}: {value}" for key, value in card["training"].items()]
    lines += ["## Training", "", "![learning curve](learning-curve.png)", "", *training, ""]
    lines += ["## References", "", *(f"* {reference}" for reference in card["references"]), ""]
    lines += ["## Versions", "", ", ".join(f"{k} {v}" for k, v in card["versions"].items()), ""]
    lines += ["## Settings", "", "```yaml", yaml.safe_dump(card["settings"], sort_keys=False).rstrip(), "```", ""]
    return "\n".join(lines)


def _drawn(data: Mapping[str, Any]) -> str:
    """Return what each epoch draws of the training structures; empty where it takes all."""
    if not (n_pool := data.get("n_pool")):
        return ""
    return f" (each epoch: {data['n_structures'] - n_pool} and {data['n_pool_per_epoch']} drawn of {n_pool})"


def _origins(origins: Sequence[Mapping[str, str]]) -> list[str]:
    """Return what is known of the sources of the labels, each with a heading of its own."""
    lines = []
    for origin in origins:
        name, others = origin.get("name", "(no name)"), {key: text for key, text in origin.items() if key != "name"}
        known = [f"* {in_one_line(key)}: {in_one_line(text, MOST_OF_A_SOURCE)}" for key, text in others.items()]
        lines += [f"### Labels from {in_one_line(name)}", "", *known, ""]
    return lines


def _offsets(offsets: Mapping[str, float]) -> list[str]:
    if not offsets:
        return []
    listed = [f"* {name or '(no group)'}: {value:.3f} GPa" for name, value in offsets.items()]
    explained = "Constant pressure in the stress labels beside dE/dstrain; it was taken off, also for the errors below."
    return ["## Offset of the stress labels", "", explained, "", *listed, ""]


def _markdown_table(header: list[str], rows: list[list[str]]) -> list[str]:
    rule = ["---", *["---:"] * (len(header) - 1)]
    return ["| " + " | ".join(row) + " |" for row in [header, rule, *rows]]
