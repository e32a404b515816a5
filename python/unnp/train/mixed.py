"""Labels of several sources in one head: their energies may count from different zeros, and no network can learn both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from unnp.atoms.structure import Structure
from unnp.data.opening import sources_of
from unnp.errors import in_one_line

TELLING = ("name", "zero of energy", "sha256 of the weights")
"""Entries of origins that tell sources of labels from each other."""

Origin = Mapping[str, str]


def mixed_labels(heads: Sequence[str], structures: Sequence[Structure], owner: Mapping[str, int]) -> Iterator[str]:
    """Yield what to say of each head that learns from labels of several sources.

    Args:
        heads: names.
        structures: that are trained on.
        owner: position of the head of each group.
    """
    for k, head in enumerate(heads):
        found = _origins(structures, owner, k)
        if len(found) > 1:
            yield (
                f"heads.{head} learns from labels of {len(found)} sources, whose energies may have different zeros: "
                f"{'; '.join(map(_said, found))}. Where they have, give the groups of each a head of its own (`heads`), or "
                "label all by one of them."
            )


def _origins(structures: Sequence[Structure], owner: Mapping[str, int], k: int) -> list[Origin]:
    """Return the sources of the labels of a head, each once.

    Of a data set that several were put together in, nobody knows which structure is of which: it counts where the head has all
    of its groups.
    """
    found: dict[tuple[str, ...], Origin] = {}
    for source in sources_of(structures):
        heads = {owner[group] for group in source.groups if group in owner}
        if heads == {k} or (k in heads and len(source.origins) == 1):
            found |= {tuple(origin.get(name, "") for name in TELLING): origin for origin in source.origins}
    return list(found.values())


def _said(origin: Origin) -> str:
    zero = origin.get("zero of energy", "no zero is given")
    return f"{in_one_line(origin.get('name', 'no name'))} ({in_one_line(zero)})"
