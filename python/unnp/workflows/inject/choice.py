"""What the classifier's probabilities say: a potential or none for each structure, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from unnp.atoms.structure import Structure
from unnp.workflows.inject.labels import Computed
from unnp.workflows.inject.material import INJECTED
from unnp.workflows.inject.methods import CONFIDENCES


@dataclass(frozen=True)
class Choice:
    """What a classifier chose for structures.

    Attributes:
        potential: position of the potential, and their number where it is none, (n_structures,).
        probability: that it gives its choice, (n_structures,).
        confidence: "low", "medium" or "high", by thirds of the probability among those with a potential; "" for the others.
    """

    potential: np.ndarray
    probability: np.ndarray
    confidence: list[str]


def choice_of(probabilities: np.ndarray) -> Choice:
    """Return the choice by probabilities (n_structures, n_potentials + 1), of which the last is that of none."""
    potential, probability = probabilities.argmax(axis=1), probabilities.max(axis=1)
    chosen = np.flatnonzero(potential < probabilities.shape[1] - 1)
    confidence = [""] * len(potential)
    order = chosen[np.argsort(probability[chosen], kind="stable")]
    for name, third in zip(CONFIDENCES, np.array_split(order, len(CONFIDENCES)), strict=True):
        for k in third.tolist():
            confidence[k] = name
    return Choice(potential, probability, confidence)


def everywhere(potential: int, n_structures: int) -> Choice:
    """Return the choice of one potential for all structures."""
    return Choice(np.full(n_structures, potential), np.ones(n_structures), [""] * n_structures)


def injected(choice: Choice, labels: Sequence[Computed], confidence: Sequence[str], *, stress: bool) -> list[Structure]:
    """Return the structures with the labels of the potentials that were chosen, as far as these have one.

    Args:
        choice: of structures.
        labels: of the same structures, by each potential, aligned.
        confidence: those that are taken; empty: all.
        stress: whether they keep their stress.
    """
    found = []
    for k, (p, sure) in enumerate(zip(choice.potential.tolist(), choice.confidence, strict=True)):
        own = labels[p][k] if p < len(labels) and (not confidence or sure in confidence) else None
        if own is not None:
            found.append(replace(own, group=INJECTED, stress=own.stress if stress else None))
    return found
