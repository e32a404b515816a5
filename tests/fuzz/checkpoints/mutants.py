"""Damaged files of a training's run folder, and checkpoints whose content was changed before they were sealed again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mutations import ODD_VALUES, Change, Mutant, file_damage, put, take, text_damage
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from unnp.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

Tensors = dict[str, Tensor]
KEPT, LAST, PREVIOUS = (f"checkpoints/{name}.safetensors" for name in ("kept", "last", "previous"))
ANOTHER = "the checkpoint before takes its place, and the steps between are made again"
FOR_PEOPLE = "it is for people; the numbers of the training are in the checkpoint"
UNUSED = "this verb does not need it"


def resealed(change: Callable[[dict[str, Any], Tensors], object]) -> Change:
    """Return the change of a checkpoint's content; it is written as unnp writes it, with whatever seal it uses."""

    def apply(path: Path) -> None:
        checkpoint = load_checkpoint(path)
        change(checkpoint.description, checkpoint.tensors)
        path.unlink()
        save_checkpoint(path, Checkpoint(checkpoint.description, checkpoint.tensors))

    return apply


def _with_head(change: Callable[[dict[str, Any]], object]) -> Change:
    """Return the change of the JSON in a checkpoint's metadata, whatever else is in it."""

    def apply(path: Path) -> None:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata())
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
        head = json.loads(metadata["unnp"])
        changed = change(head)
        metadata["unnp"] = changed if isinstance(changed, str) else json.dumps(head)
        save_file(tensors, path, metadata=metadata)

    return apply


HEADS: dict[str, Callable[[dict[str, Any]], object]] = {
    "format-other": lambda head: put(head, ("format",), "another"),
    "format-gone": lambda head: take(head, ("format",)),
    "version-0": lambda head: put(head, ("format_version",), 0),
    "version-minus": lambda head: put(head, ("format_version",), -3),
    "version-99": lambda head: put(head, ("format_version",), 99),
    "version-text": lambda head: put(head, ("format_version",), "1"),
    "version-true": lambda head: put(head, ("format_version",), True),
    "version-gone": lambda head: take(head, ("format_version",)),
    "no-json": lambda head: "{",
    "list": lambda head: "[]",
    "deep": lambda head: "[" * 100_000,
    "long-number": lambda head: "9" * 6000,
}
TENSORS: dict[str, Callable[[Tensor], Tensor | None]] = {
    "gone": lambda tensor: None,
    "nan": lambda tensor: torch.full_like(tensor, torch.nan) if tensor.is_floating_point() else tensor[:-1],
    "infinite": lambda tensor: torch.full_like(tensor, torch.inf) if tensor.is_floating_point() else tensor[:-1],
    "empty": lambda tensor: tensor.new_zeros(0),
    "longer": lambda tensor: torch.cat([tensor.flatten(), tensor.flatten()]),
    "scalar": lambda tensor: tensor.flatten()[0].clone(),
    "whole-numbers": lambda tensor: tensor.to(torch.int64),
    "double": lambda tensor: tensor.to(torch.float64 if tensor.dtype != torch.float64 else torch.float32),
}


def changed_tensor(start: str, change: Callable[[Tensor], Tensor | None]) -> Change:
    """Return the change of the first tensor whose name begins so and that is not a single number."""

    def apply(description: dict[str, Any], tensors: Tensors) -> None:
        names = [name for name in sorted(tensors) if name.startswith(start)]
        name = next((n for n in names if tensors[n].numel() > 1 and "reference" not in n), names[0])
        changed = change(tensors.pop(name))
        if changed is not None:
            tensors[name] = changed

    return resealed(apply)


PLACES = [("potential",), *(("potential", key) for key in ("elements", "settings", "heads"))]
PLACES += [("dtype",), ("position",), ("settings",), ("data",), ("versions",)]
COUNTERS = ("epoch", "batch", "step", "seconds", "best_loss", "best_epoch", "validations_since_best")


def _descriptions(places: list[tuple[str, ...]], values: list[str]) -> list[tuple[str, tuple[str, ...], Change]]:
    made = []
    for place in places:
        title = "-".join(place)
        made.append((f"without-{title}", place, resealed(lambda d, _, p=place: take(d, p))))
        for name in values:
            value = ODD_VALUES[name]
            made.append((f"{title}-{name}", place, resealed(lambda d, _, p=place, v=value: put(d, p, v))))
    return made


def content(used: Callable[[str], bool]) -> list[Mutant]:
    """Return mutants of a checkpoint's content; ``used`` tells of a tensor's prefix or a key whether the verb needs it."""
    made = [Mutant(name, _with_head(change)) for name, change in HEADS.items()]
    for start in ("raw.", "average.", "optimizer.", "sums", "random.cpu"):
        for name, change in TENSORS.items():
            due, why = ("error", "") if used(start) else ("same", UNUSED)
            if name == "double" and start in ("sums", "random.cpu", "optimizer."):
                due, why = "same", "another number type of the same values"
            made.append(Mutant(f"{start.strip('.')}-{name}", changed_tensor(start, change), due, why))
    for name, place, change in _descriptions(PLACES, ["null", "text", "object", "minus"]):
        due, why = ("error", "") if used(place[0]) else ("same", UNUSED)
        made.append(Mutant(name, change, due, why))
    return [
        *made,
        Mutant("extra-tensor", resealed(lambda _, tensors: tensors.update(stranger=torch.ones(3))), "same", UNUSED),
    ]


def counters() -> list[Mutant]:
    """Return mutants of the counters of a checkpoint."""
    values = ["null", "text", "minus", "huge", "fraction", "nested"]
    made = []
    for name, place, change in _descriptions([("position", counter) for counter in COUNTERS], values):
        if place[1] in ("seconds", "best_loss") and name.endswith(("fraction", "huge")):
            continue  # a value that it may have
        absent = place[1].startswith("best_") and name.endswith("null")
        due, why = ("same", "a value that it may have") if absent else ("error", "")
        made.append(Mutant(name, change, due, why))
    extra = resealed(lambda d, _: d["position"].update(stranger=1))
    many = resealed(lambda d, _: d["position"].update(epoch=10**9))
    return [*made, Mutant("position-stranger", extra), Mutant("position-epoch-many", many)]


EXPORT_USES = ("average.", "potential", "dtype")
RESUME_USES = ("raw.", "average.", "optimizer.", "sums", "random.cpu", "potential", "position")
EXPORT = [m.within(KEPT) for m in content(lambda name: name in EXPORT_USES)]
RESUME = [m.within(LAST) for m in [*content(lambda name: name in RESUME_USES), *counters()]]

FILES_EXPORT = [
    *(m.within(KEPT) for m in file_damage(flips=6)),
    *(m.within(LAST) for m in file_damage("same", flips=1, why="the kept checkpoint is exported")),
    *(m.within("card.yaml") for m in [*file_damage("same", why=FOR_PEOPLE), *text_damage("same")]),
    *(m.within("config.yaml") for m in file_damage("same", flips=1, why="the checkpoint says what it is of")),
]
FILES_RESUME = [
    *(m.within(LAST) for m in file_damage("same", flips=6, why=ANOTHER)),
    *(m.within(PREVIOUS) for m in file_damage("same", flips=1, why="the last checkpoint is whole")),
    *(m.within(KEPT) for m in file_damage("same", flips=2, why="another one may be better")),
    *(
        m.within("config.yaml")
        for m in [*file_damage("same", why="the settings are given again"), *text_damage("same")]
    ),
    *(m.within("log.jsonl") for m in [*file_damage("same", flips=5, why=FOR_PEOPLE), *text_damage("same")]),
    *(m.within("log.csv") for m in file_damage("same", flips=1, why="it is written anew")),
]
