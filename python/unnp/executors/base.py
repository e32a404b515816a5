"""The contract of an executor, and tasks that are tried again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import Any, ClassVar, Self

from unnp.config import Config
from unnp.config.kinds import registering
from unnp.data.worker_pool import Failure
from unnp.plugins.registry import Registry

Start = Callable[[], Callable[[Any], Any]]
"""Makes the function that computes one item, once in every process."""


class Executor(ABC):
    """Computes items on this machine or on others.

    A subclass lives in one file of ``unnp.executors``, or of a package that names it in the entry-point group
    ``unnp.executors``, and is decorated with ``@register(kind)``. What it computes may be computed twice: whoever gives items
    to it takes care that this does no harm.

    What it takes long to begin, such as jobs of a batch system, is held for all that is computed in a ``with`` block::

        with executor:
            labels = list(run_tasks(executor, start_labelling, structures, attempts))
            run_tasks(executor, start_training, members, attempts)

    Args:
        config: the settings.
    """

    kind: ClassVar[str]
    Config: ClassVar[type[Config]]

    def __init__(self, config: Any) -> None:
        self.config = config

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:  # noqa: B027  # most hold nothing
        """End all that is held."""

    @abstractmethod
    def run(self, start: Start, items: Iterable[tuple[int, Any]]) -> Generator[tuple[int, Any | Failure], None, None]:
        """Yield (index, result or Failure) of items, in the order in which they are finished.

        Closed early, it begins nothing more, and what is going on ends with the ``with`` block at the latest. All that is
        given and returned has to be picklable.

        Args:
            start: makes the function.
            items: (index, item).

        Raises:
            UnnpError: ``start`` failed, or nothing can be computed.
        """


REGISTRY: Registry[type[Executor]] = Registry("executor", "unnp.executors", "unnp.executors")
register = registering(REGISTRY)
"""Make an executor known: ``@register("processes")``."""


def run_tasks(
    executor: Executor, start: Start, items: Iterable[tuple[int, Any]], attempts: int
) -> Generator[tuple[int, Any | Failure], None, None]:
    """Yield what ``Executor.run`` does, where an item that failed is tried again, behind the others.

    Args:
        executor: computes.
        start: makes the function that computes one item.
        items: (index, item).
        attempts: how often each is tried before its Failure is given.
    """
    waiting = dict(items)
    for attempt in range(1, attempts + 1):
        failed: dict[int, Any] = {}
        with closing(executor.run(start, list(waiting.items()))) as results:
            for k, outcome in results:
                if isinstance(outcome, Failure) and attempt < attempts:
                    failed[k] = waiting[k]
                else:
                    yield k, outcome
        waiting = failed
        if not waiting:
            return
