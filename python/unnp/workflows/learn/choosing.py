"""Choosing structures with a selector, where some have elements that the model does not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unnp.atoms.structure import Structure
from unnp.train.datasets import Subset
from unnp.workflows.learn.evaluation import unknown_elements
from unnp.workflows.learn.selectors.base import Choice, Selector
from unnp.workflows.learn.situation import Situation


def choices(selector: Selector, frames: Sequence[Structure], at: Situation) -> list[Choice]:
    """Return what a selector chooses; structures with new elements, on which it has no say, come first.

    Args:
        selector: chooses among the others, up to its ``most`` with those before.
        frames: those proposed, without labels.
        at: the round.
    """
    unknown = [unknown_elements(at.potential, frame) for frame in frames]
    new = [k for k, symbols in enumerate(unknown) if symbols]
    chosen = [Choice(k, 0.0, f"has elements that are not learnt yet: {', '.join(unknown[k])}") for k in new]
    known = [k for k in range(len(frames)) if not unknown[k]]
    if known:
        found = selector.select(Subset(frames, known), at)
        chosen += [replace(choice, index=known[choice.index]) for choice in found]
    return chosen[: selector.config.most]
