"""Sequences of structures that are read, or made, when asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import overload

from unnp.atoms.structure import Structure


class LazyStructures(Sequence[Structure]):
    """A sequence of structures that reads each when it is asked for. A subclass fills in ``__len__`` and ``at``."""

    @abstractmethod
    def at(self, k: int) -> Structure:
        """Return structure ``k``, from 0 on."""

    @overload
    def __getitem__(self, k: int) -> Structure: ...

    @overload
    def __getitem__(self, k: slice) -> list[Structure]: ...

    def __getitem__(self, k: int | slice) -> Structure | list[Structure]:
        """Return structure ``k``, or the structures of a slice."""
        if isinstance(k, slice):
            return [self.at(i) for i in range(*k.indices(len(self)))]
        if not -len(self) <= k < len(self):
            raise IndexError(f"structure {k} of {len(self)}")
        return self.at(k % len(self))
