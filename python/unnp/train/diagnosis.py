"""Which structures made a step not finite."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import torch
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from torch import nn

from unnp.data.dataset import Dataset
from unnp.errors import TrainingError
from unnp.files import write_atomically
from unnp.loss import Loss
from unnp.structure import Structure
from unnp.train.distributed import Processes
from unnp.train.step import backward, term_averages

FILE = "not-finite.extxyz"


def not_finite_alone(
    potential: nn.Module, loss: Loss, weights: torch.Tensor, dataset: Dataset, batch: Sequence[int], dtype: torch.dtype
) -> list[int]:
    """Return the structures of a batch whose loss or gradient is not finite when they are alone in it."""
    alone = Processes()
    parameters = list(potential.parameters())
    found = []
    for k in batch:
        one = dataset[k].to(weights.device, dtype)
        total = backward(term_averages(potential, loss, one, alone, weights.device), weights, parameters, alone)
        gradients = [p.grad for p in parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if not torch.isfinite(total + norm):
            found.append(k)
    return found


def not_finite_error(folder: Path, dataset: Dataset, suspects: Sequence[int], step: int, rank: int) -> TrainingError:
    """Save the suspects in the run folder and return the error that says what happened and what to do."""
    path = folder / (FILE if rank == 0 else f"{rank}-{FILE}")
    structures = [dataset.structures[k] for k in suspects]
    write_atomically(path, _extxyz(structures))
    sources = ", ".join(s.source or f"structure {k}" for k, s in zip(suspects, structures, strict=True))
    return TrainingError(
        f"the loss or its gradient is not finite at step {step}. Structures: {sources}; saved in {path}. "
        "Look for atoms on top of each other or wrong labels; else lower optimizer.learning_rate or optimizer.clip. "
        "The weights are untouched: the last checkpoint is from before this step, go on with --resume."
    )


def _extxyz(structures: Sequence[Structure]) -> str:
    """Return structures with their labels as extended XYZ."""
    frames = []
    for structure in structures:
        atoms = structure.to_atoms()
        labels = {name: getattr(structure, name) for name in ("energy", "forces", "stress")}
        atoms.calc = SinglePointCalculator(atoms, **{k: v for k, v in labels.items() if v is not None})
        atoms.info |= {"group": structure.group, "source": structure.source}
        frames.append(atoms)
    text = io.StringIO()
    write(text, frames, format="extxyz")
    return text.getvalue()
