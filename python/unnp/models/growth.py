"""From one potential to another with more elements or other heads that keeps its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from ase.data import chemical_symbols
from torch import Tensor

from unnp.errors import ConfigError
from unnp.models.build import potential_from_description
from unnp.models.heads import Head
from unnp.models.potential import Potential

HEADS, OUTPUTS = "energy_heads.", "output_heads."


def grown(
    old: Potential,
    elements: Sequence[str],
    heads: Sequence[Head],
    begin: Sequence[int | None],
    outputs: Sequence[str],
    closest: Sequence[Sequence[float]],
) -> Potential:
    """Return a potential with the weights of another one, and random ones where that has none.

    Args:
        old: where the weights are from.
        elements: those of ``old`` in their order, then further ones, whose weights are random.
        heads: levels of theory.
        begin: for each of them the position of the head of ``old`` whose weights it gets; None: random weights.
        outputs: trained outputs beside the energy; those that ``old`` lacks get random weights.
        closest: (n_elements, n_elements) [A], below which the representation sees two atoms no closer; empty: none.

    Raises:
        ConfigError: the architecture cannot take further elements.
    """
    changed = {
        "elements": list(elements),
        "heads": [head.describe() for head in heads],
        "outputs": list(outputs),
        "closest": closest,
    }
    potential = potential_from_description({**old.describe(), **changed})
    there, state = old.state_dict(), potential.state_dict()
    for name in state:
        source = _source(name, begin)
        if source in there:
            state[name] = _with_rows_of(there[source], state[name], len(old.elements), potential)
        elif not name.startswith((HEADS, OUTPUTS)):
            raise _cannot_grow(potential)
    potential.load_state_dict(state)
    return potential


def element_parameters(potential: Potential) -> set[str]:
    """Return the names of the parameters of representation and terms that belong to elements.

    These are the parameters whose shape depends on the number of elements: the embedding, and what else has a row for each.
    """
    description = potential.describe()
    other = next(symbol for symbol in chemical_symbols[1:] if symbol not in potential.elements)
    heads = [{**h, "reference_energies": {**h["reference_energies"], other: 0.0}} for h in description["heads"]]
    larger = _shapes({**description, "elements": [*potential.elements, other], "heads": heads, "closest": []})
    return {
        name
        for name, parameter in potential.named_parameters()
        if not name.startswith((HEADS, OUTPUTS)) and larger.get(name) != parameter.shape
    }


def _shapes(description: dict[str, Any]) -> dict[str, torch.Size]:
    """Return the shapes of the parameters of a potential; random numbers are drawn as if it had not been built."""
    with torch.random.fork_rng(devices=[]):
        return {name: parameter.shape for name, parameter in potential_from_description(description).named_parameters()}


def _source(name: str, begin: Sequence[int | None]) -> str | None:
    """Return the name that a tensor has in the old potential; None for a head with random weights."""
    if not name.startswith(HEADS):
        return name
    k, _, rest = name.removeprefix(HEADS).partition(".")
    source = begin[int(k)]
    return None if source is None else f"{HEADS}{source}.{rest}"


def _with_rows_of(old: Tensor, new: Tensor, n_old: int, potential: Potential) -> Tensor:
    """Return ``old``, with the further rows of ``new`` where the first dimension is that of the elements."""
    if old.shape == new.shape:
        return old
    if old.dim() and old.shape[1:] == new.shape[1:] and old.shape[0] == n_old and new.shape[0] == potential.n_elements:
        return torch.cat([old, new[n_old:]])
    raise _cannot_grow(potential)


def _cannot_grow(potential: Potential) -> ConfigError:
    return ConfigError(
        f"{potential.architecture} cannot take further elements: the shapes of its layers depend on their number. Train it "
        "with all elements from the start, or take an architecture with an embedding of the elements."
    )
