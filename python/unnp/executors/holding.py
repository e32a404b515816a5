"""Executors whose workers take long to begin, and so are held for many lists of items."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Self

from unnp.executors.base import Executor


class Holding(Executor):
    """An executor that begins workers once in a ``with`` block. A subclass fills in ``begin``, and asks ``held`` in ``run``.

    Blocks may stand in one another, as ``run`` is one too: the workers end with the outermost.
    """

    _blocks = 0
    _held: Any = None
    _end: ExitStack | None = None

    @abstractmethod
    def begin(self) -> AbstractContextManager[Any]:
        """Begin the workers, inside a ``with`` block, at whose end they end; raise UnnpError where there are none."""

    def __enter__(self) -> Self:
        self._blocks += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._blocks -= 1
        if not self._blocks:
            self.let_go()

    def held(self) -> Any:
        """Return what ``begin`` gives, begun at the first question: a loop that has nothing to do begins nothing."""
        if self._end is None:
            with ExitStack() as stack:
                self._held = stack.enter_context(self.begin())
                self._end = stack.pop_all()
        return self._held

    def let_go(self) -> None:
        """End the workers; whoever asks for them again begins others."""
        end, self._end, self._held = self._end, None, None
        if end is not None:
            end.close()
