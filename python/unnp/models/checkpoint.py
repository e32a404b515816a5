"""Checkpoints: one safetensors file with the weights, the state of the training and, as JSON, what they belong to."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from unnp.device import resolve_dtype
from unnp.errors import ModelError, in_one_line
from unnp.files.writing import write_atomically
from unnp.models.build import potential_from_description
from unnp.models.potential import Potential

logger = logging.getLogger(__name__)

FORMAT = "unnp-checkpoint"
FORMAT_VERSION = 2
"""Version of the format; version 1 had no checksum and is no longer read."""

Weights = Literal["average", "raw"]
_UPGRADES: dict[int, Callable[[dict[str, Any], dict[str, Tensor]], None]] = {}
"""Version -> function that changes description and tensors of that version into the next one's, in place."""


@dataclass
class Checkpoint:
    """The content of a checkpoint file.

    Attributes:
        description: JSON: ``potential`` (of ``Potential.describe``), ``dtype``, ``data`` (summary), ``settings``,
            ``position`` (counters) and ``versions``.
        tensors: all tensors by name; ``raw.*`` the weights that are trained, ``average.*`` their running average, and the
            trainer's own.
    """

    description: dict[str, Any]
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors whose name starts with ``prefix.``, without it."""
        start = prefix + "."
        return {name[len(start) :]: tensor for name, tensor in self.tensors.items() if name.startswith(start)}


def save_checkpoint(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint with a checksum of its content; the file is complete or not there at all."""
    head = {"format": FORMAT, "format_version": FORMAT_VERSION, **checkpoint.description}
    text = json.dumps(head, allow_nan=False)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
    write_atomically(path, save(tensors, metadata={"unnp": text, "sha256": content_checksum(text, tensors)}))


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint onto the CPU.

    Raises:
        ModelError: the file is missing, truncated, foreign, of another version, or not what was written (checksum).
    """
    path = Path(path)
    metadata, tensors = _read(path)
    head = _head(path, metadata.get("unnp"))
    if content_checksum(metadata["unnp"], tensors) != metadata.get("sha256"):
        raise ModelError(
            f"{path} is damaged: its checksum is not that of its content. Use another one (last, previous or kept)."
        )
    version = head.pop("format_version")
    while version < FORMAT_VERSION:
        _UPGRADES[version](head, tensors)
        version += 1
    return Checkpoint(head, tensors)


def content_checksum(text: str, tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of a description and of the names, number types, shapes and bytes of tensors on the CPU."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"\0{name}\0{tensor.dtype}\0{list(tensor.shape)}\0".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def load_potential(path: str | Path, weights: Weights = "average") -> tuple[Potential, dict[str, Any]]:
    """Return the potential of a checkpoint or run folder with its weights, and the checkpoint's description.

    Args:
        path: a checkpoint file, or a run folder, of which the kept checkpoint is taken.
        weights: the running average (what is validated and exported) or the raw weights.

    Raises:
        ModelError: no checkpoint, a damaged one, or weights that do not fit its own description.
    """
    file = find_checkpoint(path)
    checkpoint = load_checkpoint(file)
    found, what = checkpoint.part(weights), f"{file}: the {weights} weights"
    try:
        described = checkpoint.description["potential"]
        with number_type(checkpoint.description["dtype"]):
            sizes = _sizes(described)
            if sizes is not None:
                check_tensors(found, sizes, what)
            potential = potential_from_description(described)
    except ModelError:
        raise
    except Exception as error:  # a description that was tampered with can make an architecture raise anything
        reason = in_one_line(f"{type(error).__name__}: {error}")
        raise ModelError(
            f"{file}: description and weights do not fit together, no potential is built ({reason})."
        ) from None
    check_tensors(found, potential.state_dict(), what)
    potential.load_state_dict(found)
    return potential.eval(), checkpoint.description


def _sizes(description: dict[str, Any]) -> dict[str, Tensor] | None:
    """Return the state of a potential without its memory (wrong settings may ask for terabytes); None where that fails."""
    try:
        with torch.device("meta"):
            return potential_from_description(description).state_dict()
    except (
        Exception
    ):  # an architecture that looks at the values of its tensors; building it in earnest says what is wrong
        return None


def check_tensors(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], what: str) -> None:
    """Raise ModelError where tensors differ from the expected ones in names, number types or shapes, or are not finite.

    Args:
        found: those of a checkpoint.
        expected: tensors whose names, number types and shapes alone count.
        what: begins the message.
    """
    for verb, names in (("lack", expected.keys() - found.keys()), ("have unknown", found.keys() - expected.keys())):
        if names:
            raise ModelError(f"{what} do not fit: they {verb} {in_one_line(', '.join(sorted(names)[:5]))}.")
    for name, tensor in found.items():
        is_, should = ((str(t.dtype).removeprefix("torch."), list(t.shape)) for t in (tensor, expected[name]))
        if is_ != should:
            raise ModelError(f"{what} do not fit: {name} is {is_[0]} {is_[1]}, expected {should[0]} {should[1]}.")
        if not bool(torch.isfinite(tensor).all()):
            raise ModelError(f"{what} are not finite: {name} holds NaN or inf. Use an earlier checkpoint.")


def training_data(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an exported file says of the training data, the offset of their stress labels included.

    Args:
        description: of a checkpoint.
    """
    offset = description.get("stress_offset")
    return {**description.get("data", {}), **({"stress_offset": offset} if offset else {})}


def find_checkpoint(path: str | Path, names: tuple[str, ...] = ("kept", "last", "previous")) -> Path:
    """Return the checkpoint file of a path: itself, or the first of ``names`` in a run folder that exists."""
    path = Path(path)
    if not os.path.isdir(path):  # not Path.is_dir, which raises for a name that is too long
        return path
    candidates = [path / "checkpoints" / f"{name}.safetensors" for name in names]
    for candidate in candidates:
        if os.path.lexists(candidate):
            if candidate != candidates[0]:
                logger.warning("%s is missing; %s is taken.", candidates[0], candidate.name)
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


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Return metadata and tensors of a safetensors file."""
    if not os.path.exists(path):
        raise ModelError(f"{path} does not exist; give a checkpoint or run folder of `unnp train`.")
    if not os.path.isfile(path):
        raise ModelError(f"{path} is no ordinary file; give a checkpoint or run folder of `unnp train`.")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # a damaged header makes safetensors raise almost anything
        raise ModelError(
            f"{path} cannot be read as a checkpoint ({in_one_line(error)}); it is truncated or another kind of file. "
            "Use the previous one beside it (previous.safetensors or kept.safetensors)."
        ) from None


def _head(path: Path, text: str | None) -> dict[str, Any]:
    try:
        head = json.loads(text or "null")
    except (ValueError, RecursionError):
        head = None
    version = head.get("format_version") if isinstance(head, dict) else None
    if not isinstance(head, dict) or head.pop("format", None) != FORMAT or type(version) is not int:
        raise ModelError(f"{path} is a safetensors file, but no checkpoint of unnp; give one written by `unnp train`.")
    if version > FORMAT_VERSION:
        raise ModelError(f"{path} has checkpoint format {version}; this unnp reads up to {FORMAT_VERSION}. Upgrade it.")
    if any(step not in _UPGRADES for step in range(version, FORMAT_VERSION)):
        raise ModelError(
            f"{path} has checkpoint format {version}, which this unnp does not read (it reads {FORMAT_VERSION}). "
            "Train again, or use the unnp that wrote it."
        )
    return head
