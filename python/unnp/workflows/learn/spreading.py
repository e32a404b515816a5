"""What a model says of many structures, computed in parts as tasks of the executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from unnp.atoms.structure import Structure
from unnp.data.progress import counting
from unnp.data.worker_pool import Failure
from unnp.errors import ModelError
from unnp.executors.base import run_tasks
from unnp.executors.here import Here
from unnp.exported.loader import LoadedPotential, load_model
from unnp.workflows.learn.evaluation import combined, descriptors, moments_of
from unnp.workflows.learn.situation import Situation

T = TypeVar("T")
Say = Callable[[LoadedPotential, Sequence[Structure]], Iterable[T]]
"""Says something of each structure, or of all of them; a function of a module, as tasks are pickled."""

ATOMS_OF_A_PART = 20_000
"""Atoms of one task: some seconds of a small model, so that starting a process and opening the model costs less."""


def said(at: Situation, structures: Sequence[Structure], say: Say[T]) -> list[T]:
    """Return what the model of a round says of structures, in their order.

    In this process where they are one part, where the executor is ``here``, and where the model is on a GPU.

    Args:
        at: the round.
        structures: what to look at.
        say: function of the model and structures; what it returns for each part is joined.

    Raises:
        ModelError: the model cannot say it.
    """
    parts = _parts(structures)
    if len(parts) < 2 or isinstance(at.executor, Here) or at.potential.device.type != "cpu":
        return list(say(at.potential, structures))
    assert at.model is not None  # at.potential has been opened
    found: dict[int, list[T]] = {}
    tasks = [(k, [structures[i] for i in part]) for k, part in enumerate(parts)]
    results = run_tasks(at.executor, partial(_open, at.model, say), tasks, at.attempts)
    with closing(results), counting("evaluating", len(parts)) as advance:
        for k, outcome in results:
            if isinstance(outcome, Failure):
                raise ModelError(outcome.message)
            found[k] = outcome
            advance()
    return [each for k in range(len(parts)) for each in found[k]]


def errors_at(at: Situation, structures: Sequence[Structure]) -> dict[str, float]:
    """Return the errors of the model of a round on labelled structures, as ``errors_on`` does."""
    return combined(said(at, structures, moments_of))


def descriptors_at(at: Situation, structures: Sequence[Structure]) -> np.ndarray:
    """Return what the model of a round sees of structures, as ``descriptors`` does."""
    return np.stack(said(at, structures, descriptors))


def _parts(structures: Sequence[Structure]) -> list[list[int]]:
    """Return indices of structures in their order, so many in a part that their atoms are enough for a task."""
    parts: list[list[int]] = []
    size = ATOMS_OF_A_PART
    for k in range(len(structures)):
        if size >= ATOMS_OF_A_PART:
            parts.append([])
            size = 0
        parts[-1].append(k)
        size += len(structures[k])
    return parts


def _open(model: Path, say: Say[Any]) -> Callable[[Sequence[Structure]], list[Any]]:
    return partial(_say, say, load_model(model, "cpu"))


def _say(say: Say[Any], potential: LoadedPotential, structures: Sequence[Structure]) -> list[Any]:
    return list(say(potential, structures))
