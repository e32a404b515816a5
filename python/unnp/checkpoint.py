"""Checkpoints: one safetensors file with the weights, the state of the training and, as JSON, what they belong to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from unnp.device import resolve_dtype
from unnp.errors import ModelError, UnnpError
from unnp.files import write_atomically
from unnp.models.potential import Potential, potential_from_description

FORMAT = "unnp-checkpoint"
FORMAT_VERSION = 1

Weights = Literal["average", "raw"]
_UPGRADES: dict[int, Callable[[dict[str, Any], dict[str, Tensor]], None]] = {}
"""Version -> function that changes description and tensors of that version into the next one's, in place."""


@dataclass
class Checkpoint:
    """The content of a checkpoint file.

    Attributes:
        description: JSON: ``potential`` (of ``Potential.describe``), ``dtype``, ``data`` (summary), ``settings``,
            ``position`` (counters) and ``versions``.
        tensors: by name; ``raw.*`` the weights that are trained, ``average.*`` their running average, and the
            trainer's own.
    """

    description: dict[str, Any]
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors whose name starts with ``prefix.``, without it."""
        start = prefix + "."
        return {name[len(start) :]: tensor for name, tensor in self.tensors.items() if name.startswith(start)}


def save_checkpoint(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the file is complete or not there at all."""
    head = {"format": FORMAT, "format_version": FORMAT_VERSION, **checkpoint.description}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
    write_atomically(path, save(tensors, metadata={"unnp": json.dumps(head, allow_nan=False)}))


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint onto the CPU; raise ModelError for a file that is missing, truncated, foreign or too new."""
    path = Path(path)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            text = (file.metadata() or {}).get("unnp")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
    except FileNotFoundError:
        raise ModelError(f"{path} does not exist; give a checkpoint or run folder of `unnp train`.") from None
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{path} cannot be read as a checkpoint ({error}); it is truncated or another kind of file. "
            "Use the previous one beside it (previous.safetensors or best.safetensors)."
        ) from None
    head = _head(path, text)
    version = head.pop("format_version")
    while version < FORMAT_VERSION:
        _UPGRADES[version](head, tensors)
        version += 1
    return Checkpoint(head, tensors)


def load_potential(path: str | Path, weights: Weights = "average") -> tuple[Potential, dict[str, Any]]:
    """Return the potential of a checkpoint or run folder with its weights, and the checkpoint's description.

    Args:
        path: a checkpoint file, or a run folder, of which the best checkpoint is taken.
        weights: the running average (what is validated and exported) or the raw weights.

    Raises:
        ModelError: no checkpoint, a damaged one, or weights that do not fit its own description.
    """
    file = find_checkpoint(path)
    checkpoint = load_checkpoint(file)
    try:
        with number_type(checkpoint.description["dtype"]):
            potential = potential_from_description(checkpoint.description["potential"])
        potential.load_state_dict(checkpoint.part(weights))
    except (KeyError, TypeError, RuntimeError, UnnpError) as error:
        raise ModelError(f"{file}: the weights do not fit the potential they are said to be of: {error}.") from None
    return potential.eval(), checkpoint.description


def find_checkpoint(path: str | Path, names: tuple[str, ...] = ("best", "last", "previous")) -> Path:
    """Return the checkpoint file of a path: itself, or the first of ``names`` in a run folder that exists."""
    path = Path(path)
    if not path.is_dir():
        return path
    candidates = [path / "checkpoints" / f"{name}.safetensors" for name in names]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise ModelError(f"{path} holds no checkpoint (looked for checkpoints/{{{','.join(names)}}}.safetensors).")


@contextmanager
def number_type(name: str) -> Iterator[torch.dtype]:
    """Create floating-point tensors as float32 or float64 inside; converting them later would lose digits."""
    before, dtype = torch.get_default_dtype(), resolve_dtype(name)
    torch.set_default_dtype(dtype)
    try:
        yield dtype
    finally:
        torch.set_default_dtype(before)


def _head(path: Path, text: str | None) -> dict[str, Any]:
    try:
        head = json.loads(text or "null")
    except ValueError:
        head = None
    version = head.get("format_version") if isinstance(head, dict) else None
    if not isinstance(head, dict) or head.pop("format", None) != FORMAT or not isinstance(version, int):
        raise ModelError(f"{path} is a safetensors file, but no checkpoint of unnp; give one written by `unnp train`.")
    if version > FORMAT_VERSION:
        raise ModelError(f"{path} has checkpoint format {version}; this unnp reads up to {FORMAT_VERSION}. Upgrade it.")
    return head
