"""One way in: stored data sets and structure files, one or several, as one sequence of structures."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from unnp.atoms.lazy import LazyStructures
from unnp.atoms.quantities import QUANTITIES, STANDARD
from unnp.atoms.structure import Structure
from unnp.data.readers import LeftBehind, ReadOptions, iterate_structures
from unnp.data.readers.completeness import Completeness
from unnp.data.statistics import atom_counts, group_names
from unnp.data.store import Store, is_store
from unnp.data.suspicions import suspect_stresses
from unnp.errors import DataError

logger = logging.getLogger(__name__)

Paths = str | Path | Sequence[str | Path]


def open_structures(
    paths: Paths, options: ReadOptions | None = None, left_behind: LeftBehind | None = None
) -> Sequence[Structure]:
    """Return the structures of one or several paths, in their order.

    Args:
        paths: stored data sets (memory-mapped, not read) and files that a reader knows (read into memory).
        options: names, units and required labels; only the required labels concern stored data sets.
        left_behind: takes note of what the files carry beyond structures and labels; None: nobody asks.

    Raises:
        DataError: nothing given, a path does not exist or is corrupt, a label is missing or mixed.
    """
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    if not listed:
        raise DataError("no data given; name at least one file or stored data set.")
    options = options or ReadOptions()
    completeness = Completeness(options)
    parts = [_open(Path(path), options, completeness, left_behind) for path in listed]
    return parts[0] if len(parts) == 1 else Concatenated(parts)


@dataclass(frozen=True)
class LabelSource:
    """What a stored data set says of its labels.

    Attributes:
        groups: of its structures.
        origins: an entry for each source of labels that were put together in it.
    """

    groups: frozenset[str]
    origins: tuple[dict[str, str], ...]


class Concatenated(LazyStructures):
    """Several sequences of structures, one behind the other.

    Args:
        parts: the sequences.
    """

    def __init__(self, parts: Sequence[Sequence[Structure]]) -> None:
        self._parts = list(parts)
        self._starts = [0, *accumulate(len(part) for part in parts)]

    def __len__(self) -> int:
        return self._starts[-1]

    def at(self, k: int) -> Structure:
        part = bisect_right(self._starts, k) - 1
        return self._parts[part][k - self._starts[part]]

    @property
    def n_atoms(self) -> np.ndarray:
        """(n_structures,) int64, atoms of each structure."""
        return np.concatenate([atom_counts(part) for part in self._parts])

    @property
    def group_names(self) -> list[str]:
        """Group of each structure."""
        return [name for part in self._parts for name in group_names(part)]

    @property
    def origins(self) -> list[dict[str, str]]:
        """What people should know of the labels, one entry for each source of them."""
        found: list[dict[str, str]] = []
        for part in self._parts:
            found += [origin for origin in origins_of(part) if origin not in found]
        return found

    @property
    def sources(self) -> list[LabelSource]:
        """Those of each part."""
        return [source for part in self._parts for source in sources_of(part)]


def origins_of(structures: Sequence[Structure]) -> list[dict[str, str]]:
    """Return what stored data sets say about the sources of their labels; nothing for other structures."""
    return list(getattr(structures, "origins", ()))


def sources_of(structures: Sequence[Structure]) -> list[LabelSource]:
    """Return groups and origins of each stored data set among structures that says where its labels are from."""
    found: list[LabelSource] | None = getattr(structures, "sources", None)
    if found is not None:
        return found
    origins = origins_of(structures)
    return [LabelSource(frozenset(group_names(structures)), tuple(origins))] if origins else []


def _open(
    path: Path, options: ReadOptions, completeness: Completeness, left_behind: LeftBehind | None
) -> Sequence[Structure]:
    if not is_store(path):
        return list(iterate_structures(path, options, completeness, left_behind))
    store = Store(path, verify=True)
    computed_here = bool(store.origins)  # in known units
    if not computed_here and (doubt := suspect_stresses(store.stresses)):
        logger.warning("%s: %s", path, doubt)
    if options.missing == "error":
        _check_labels(store, options, completeness)
    return store


def _check_labels(store: Store, options: ReadOptions, completeness: Completeness) -> None:
    for label in QUANTITIES:
        without = store.first_with(label, present=False)
        if without is not None and label in options.required:
            raise DataError(
                f"{store.path} structure {without} ({store[without].source}) has no {label}; add it, or leave {label} "
                "out of the required labels, or set missing: allow."
            )
        asked = label in STANDARD or label in options.labels
        for present in (True, False) if asked and "any" not in options.required else ():
            k = store.first_with(label, present)
            if k is not None:
                completeness.check_mixed(label, present, f"{store.path} structure {k}")
    if "any" in options.required and store.first_with("any", present=True) is None:
        raise DataError(f"{store.path} has no labels; set missing: allow.")
    if "group" in options.required and "" in store.group_names:
        raise DataError(f"{store.path} has structures without a group; give groups when the files are converted.")
